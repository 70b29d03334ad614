"""The command line of headshot."""
