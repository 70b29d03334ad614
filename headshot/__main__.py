"""`python -m headshot`."""

from headshot.cli import main

if __name__ == "__main__":
    main()
