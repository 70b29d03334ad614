"""The pages of a study: forms that raters fill in, debriefings that disclose, and what the report says of it."""
