"""From score rows to numbers with intervals: people are the unit, failures count, comparisons are paired."""
