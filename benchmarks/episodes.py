"""How many 9-frame episodes a second come from a dataset, and from other ways to keep the same frames.

`python -m benchmarks.episodes --data data/demo` copies the frames of the dataset into a folder of JPEGs, Hugging Face
datasets, Lance and webdataset (`pip install 'headshot[bench]'`) and reads the same episodes from each, with everything
in the page cache. Each reader has a process of its own with one thread; a second is one of processor time, so that
other work on the machine counts as little as possible. Undecoded is the bytes of nine JPEGs; decoded is their pixels,
by simplejpeg for all, whose speed on bytes in memory is the limit.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from benchmarks.peers import PEERS, Reader
from headshot.console import err, out, table
from pipeline.episodes import Episodes
from pipeline.images import decode
from pipeline.store import Store

SHOTS = 8
ROUND = {"undecoded": 400, "decoded": 40}
"""Episodes a round."""
ROUNDS = 40
BUDGET_S = 6.0
"""The readers take turns, in any order, at the same episodes. Speeds are those of the best round, because other work on
the machine can only slow a round down; ratios are medians over pairs of rounds of one turn. A reader that has used up
its time drops out."""
OURS, OURS_DRAWN, LIMIT = "headshot, Store", "headshot, Episodes (draws, adds landmarks)", "limit: decoding alone"
NAMES = (OURS, OURS_DRAWN, *PEERS, LIMIT)

Work = Callable[[int], object]
"""Brings the episode of this number."""
Rates = dict[tuple[str, str], dict[int, float]]
"""Episodes a second of each turn, by reader and kind."""


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="folder of the dataset")
    parser.add_argument("--scratch", type=Path, help="where copies of the frames may lie meanwhile")
    chosen = parser.parse_args()
    absent = []
    with tempfile.TemporaryDirectory(dir=chosen.scratch) as folder, ExitStack() as stack:
        runners: dict[str, ProcessPoolExecutor] = {}
        for number, name in enumerate(NAMES):
            err.print(f"preparing {name}")
            runner = stack.enter_context(ProcessPoolExecutor(1, get_context("spawn")))
            try:
                runner.submit(_prepare, name, chosen.data, Path(folder) / str(number)).result()
            except ImportError:
                absent.append(name)
            else:
                runners[name] = runner
        rates = _race(runners)
    _print(Store.open(chosen.data), rates, absent)


_works: dict[str, Work] = {}
"""In the process of a reader: how it brings an episode, by kind."""


def _prepare(name: str, data: Path, folder: Path) -> None:
    """Get a reader ready in this process, and see that it brings the right images.

    Raises:
        ImportError: What it needs is not installed.
    """
    store, length = Store.open(data), max(ROUND.values())
    drawn = {kind: Episodes(store, shots=SHOTS, length=length, decoded=kind == "decoded") for kind in ROUND}
    asked = (drawn["undecoded"][number] for number in range(length))
    clips, draws = list(store.clips), [(int(episode.clips[-1]), episode.rows.tolist()) for episode in asked]
    if name == OURS_DRAWN:
        _works.update({kind: episodes.__getitem__ for kind, episodes in drawn.items()})
        return
    if name == OURS:
        _works["undecoded"] = lambda number: store.encoded(clips[draws[number][0]], draws[number][1])
        _works["decoded"] = lambda number: store.frames(clips[draws[number][0]], draws[number][1])
        return
    images = [store.encoded(clips[clip], rows) for clip, rows in draws]
    if name == LIMIT:
        _works["decoded"] = lambda number: [decode(image) for image in images[number]]
        return
    folder.mkdir()
    read: Reader = PEERS[name](store, folder)
    if "sequential" not in name and any(read(*draw) != wanted for draw, wanted in zip(draws[:5], images, strict=False)):
        raise RuntimeError(f"{name} does not read back what was written")
    _works["undecoded"] = lambda number: read(*draws[number])
    _works["decoded"] = lambda number: [decode(image) for image in read(*draws[number])]


def _round(kind: str) -> float | None:
    """Return the processor time of one round in this process, in seconds; None where there is no such work."""
    if kind not in _works:
        return None
    started = time.process_time()
    for number in range(ROUND[kind]):
        _works[kind](number)
    return time.process_time() - started


def _race(runners: dict[str, ProcessPoolExecutor]) -> Rates:
    rates: Rates = {}
    shuffled = random.Random(0)
    for kind, episodes in ROUND.items():
        spent_s = dict.fromkeys(runners, 0.0)
        for turn in range(ROUNDS + 1):  # the first fills the caches
            for name, runner in shuffled.sample(list(runners.items()), len(runners)):
                if turn > 1 and spent_s[name] > BUDGET_S:
                    continue
                took_s = runner.submit(_round, kind).result()
                if turn and took_s:
                    spent_s[name] += took_s
                    rates.setdefault((name, kind), {})[turn] = episodes / took_s
    return rates


def _print(store: Store, rates: Rates, absent: Sequence[str]) -> None:
    results = table(
        f"{SHOTS + 1}-frame episodes a second, {store.info.name} at {store.info.config.size_px} px",
        *("reader", "undecoded", "Store is faster by", "decoded", "share of the limit"),
    )
    for name in NAMES:
        if name in absent:
            results.add_row(name, "not installed", "", "", "")
            continue
        decoded, limit, columns = rates[name, "decoded"], rates[LIMIT, "decoded"], ["", ""]
        if name != LIMIT:
            undecoded, ours = rates[name, "undecoded"], rates[OURS, "undecoded"]
            columns = [f"{max(undecoded.values()):,.0f}", f"{_ratio(ours, undecoded):.1f} x"]
        results.add_row(name, *columns, f"{max(decoded.values()):,.0f}", f"{_ratio(decoded, limit):.0%}")
    out.print(results)


def _ratio(some: dict[int, float], others: dict[int, float]) -> float:
    return median(some[turn] / others[turn] for turn in some.keys() & others.keys())


if __name__ == "__main__":
    main()
