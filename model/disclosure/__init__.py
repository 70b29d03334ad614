"""What published pictures and videos of synthesised people carry, so that people and machines can tell."""
