"""Asking people: the design of a three-alternative study, its records, its scores, and how many people it takes."""
