"""Interlaced frames to progressive ones: two moments that share a picture become one."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import av
import av.filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A decoded frame with its number and time."""

    frame: Any
    number: int
    """How many frames of the file come before it."""
    pts_s: float
    """Seconds from the first frame of the file."""
    interlaced: bool = False
    """It came as two fields."""


def deinterlaced(frames: Iterable[Stamped], stream: Any) -> Iterator[Stamped]:
    """Yield as many frames as come in, with the same numbers and times; progressive ones as they are.

    FFmpeg's bwdif fills the second field's lines from the first field and from the frames before and after, so the
    picture stands for the moment of the first field.
    """
    graph: Any = None
    waiting: deque[Stamped] = deque()
    for stamped in frames:
        if graph is None and not stamped.frame.interlaced_frame:
            yield stamped
            continue
        graph = graph or _graph(stream)
        graph.push(stamped.frame)
        waiting.append(stamped)
        yield from _finished(graph, waiting)
    if graph is not None:
        graph.push(None)
        yield from _finished(graph, waiting)


def _graph(stream: Any) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(template=stream)
    bwdif = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(source, bwdif, graph.add("buffersink")).configure()
    return graph


def _finished(graph: Any, waiting: deque[Stamped]) -> Iterator[Stamped]:
    while waiting:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        entered = waiting.popleft()
        yield replace(entered, frame=frame, interlaced=bool(entered.frame.interlaced_frame))
