"""Results to a static, self-contained HTML comparison, and labelled synthetic video."""
