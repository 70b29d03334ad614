"""Systems at work, on this machine or on many, and what they deliver."""
