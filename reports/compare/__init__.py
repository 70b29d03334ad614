"""Several runs on one page: what may be compared side by side, what may not and why, and what is different."""
