"""The player of the report: every query frame of a clip, as asked, as recorded and as each system drew it."""
