"""The one error class whose message is meant for the person at the keyboard."""


class HeadshotError(Exception):
    """A mistake the user can mend: bad input, a missing file, an impossible request.

    The message is one paragraph that says what is wrong, which value, where, and what to do.
    The command line prints it without a traceback and exits with code 2; anything else that
    escapes is a bug and keeps its traceback.
    """


class ArchiveUnavailable(HeadshotError):  # noqa: N818 - a state of the world, as the next one
    """An archive cannot be had, or is not the one that was pinned; the message is the reason alone."""


class WeightUnavailable(HeadshotError):  # noqa: N818 - reads as what it is: `except WeightUnavailable`
    """A pretrained network is not in the cache and cannot be fetched; the message says how to get it."""
