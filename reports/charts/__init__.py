"""Vector figures: the geometry in Python, drawn by templates, each with the same numbers as a table."""
