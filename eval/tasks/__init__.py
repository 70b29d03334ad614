"""Tasks: what a system is shown, what it must draw, and how both are chosen."""
