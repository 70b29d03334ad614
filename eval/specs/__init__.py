"""Metric specifications: what each number is, apart from the code that computes it."""
