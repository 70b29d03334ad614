"""Registry of pretrained networks: where they come from, their hashes and licences, how they are loaded."""
