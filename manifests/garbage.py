"""The garbage collector, out of the way while a million clips are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pause garbage collection inside the block.

    Clips refer to nothing that refers back, so there is nothing for it to find; yet it would go through all of them
    again and again while they are made, which takes longer than making them.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
