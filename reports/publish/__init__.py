"""Finished reports as one site for any static host: a list, a feed, cards for links."""
