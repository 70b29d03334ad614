"""A run on disk: its scores and record, and what makes two runs comparable."""
