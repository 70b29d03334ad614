"""Stands in for setuptools while pip downloads a source archive, so that none of the archive's code runs."""
