"""A folder of pages that appears whole or not at all: made beside its place, then put there."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reports.media import FOLDER
from reports.publish.summary import SUMMARY
from weights.errors import HeadshotError
from weights.files import TEMPORARY_MARK, sync

INDEX = "index.html"
PAGES = (INDEX, "more.html", "dataset.html", "reproduce.html")
FILES = (*PAGES, "results.json", "results.csv", "table.tex", "cite.bib", SUMMARY)
"""What a site holds beside its media; of several runs, there is a folder for each with these files, too."""


@contextmanager
def publish_site(place: Path) -> Iterator[Path]:
    """Yield an empty folder beside `place`, and put it there, instead of an earlier site, once the block ends well.

    What an earlier build left goes with it. A reader finds the earlier site, nothing for an instant, then the new one;
    after a crash, one of these.

    Args:
        place: Where the site goes; parent folders are made.

    Raises:
        HeadshotError: `place` is not a folder, or holds something that no report writes.
    """
    place = place.resolve()
    _check(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    start = f".{place.name}{TEMPORARY_MARK}"
    for left in place.parent.glob(f"{start}*"):
        shutil.rmtree(left)  # of a build that was killed
    fresh, former = (place.with_name(f"{start}{uuid.uuid4().hex}") for _ in range(2))
    fresh.mkdir()
    try:
        yield fresh
        for path in (*fresh.rglob("*"), fresh):
            sync(path)
        if place.exists():
            place.rename(former)
        fresh.rename(place)
        sync(place.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if former.exists() and not place.exists():
            former.rename(place)
        shutil.rmtree(former, ignore_errors=True)


def remove_site(place: Path) -> None:
    """Remove a site with everything in it.

    Raises:
        HeadshotError: The folder holds something that no report writes.
    """
    _check(place)
    shutil.rmtree(place)


def foreign(folder: Path) -> list[str]:
    """Return the names in a folder that are not of a site, nor folders that are sites."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.name not in (*FILES, FOLDER) and not (path.is_dir() and (path / INDEX).is_file() and not foreign(path))
    )


def _check(place: Path) -> None:
    if not place.exists():
        return
    if not place.is_dir():
        raise HeadshotError(f"{place} is a file, and a report is a folder; give another place (-o)")
    strange = foreign(place)
    if strange:
        raise HeadshotError(
            f"{place} holds {', '.join(strange[:3])}{' and more' if len(strange) > 3 else ''}, which is of no report, "
            "and a report takes the place of its whole folder; give a folder of its own (-o)"
        )
