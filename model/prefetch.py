"""Making batches ahead of the step that needs them, in the order of the steps."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
from torch.utils.data import DataLoader, Dataset

from model.batches import DrawnEpisodes

AHEAD = 2
"""Batches that lie ready, for each loader."""

Make = Callable[[int], DrawnEpisodes]
"""A step number to its episodes; whoever calls it, and whenever, the result is the same."""


def prefetched(make: Make, steps: range, loaders: int, *, pinned: bool = False) -> Generator[DrawnEpisodes, None, None]:
    """Yield the episodes of each step in turn while those of the next steps are being made.

    Args:
        make: Makes the episodes of a step; it is pickled where there are loaders.
        steps: Which, in order.
        loaders: Processes that make batches; 0 is a thread of this process, which is enough where a step takes long.
        pinned: Put them into page-locked memory, for a GPU.
    """
    if not loaders or not steps:
        yield from _by_thread(make, steps, pinned=pinned)
        return
    yield from DataLoader(
        _Steps(make, steps),
        batch_size=None,
        num_workers=loaders,
        prefetch_factor=AHEAD,
        pin_memory=pinned,
        worker_init_fn=_one_thread_each,
        multiprocessing_context="spawn",
    )


def _by_thread(make: Make, steps: range, *, pinned: bool) -> Iterator[DrawnEpisodes]:
    thread = ThreadPoolExecutor(1, "loader")
    waiting: deque[Future[DrawnEpisodes]] = deque()
    try:
        for step in steps:
            waiting.append(thread.submit(_made, make, step, pinned))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        thread.shutdown(cancel_futures=True)


def _made(make: Make, step: int, pinned: bool) -> DrawnEpisodes:
    episodes = make(step)
    return episodes.pin_memory() if pinned else episodes


class _Steps(Dataset[DrawnEpisodes]):
    """The steps as a dataset of whole batches."""

    def __init__(self, make: Make, steps: range) -> None:
        self.make, self.steps = make, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> DrawnEpisodes:
        return self.make(self.steps[index])


def _one_thread_each(_: int) -> None:
    cv2.setNumThreads(1)
