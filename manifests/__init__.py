"""Which clips exist, of whom, under what licence and consent."""
