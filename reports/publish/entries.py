"""The reports of a folder, the newest first."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from reports.publish.summary import Summary, load

INDEX = "index.html"
CARDS = "cards"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "headshot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One report in a folder of its own."""

    folder: Path
    summary: Summary

    @property
    def href(self) -> str:
        """Where it lies from the list; always ends with a page, so that it opens from disk too."""
        return f"{quote(self.folder.name)}/{INDEX}"

    @property
    def card(self) -> str:
        """Where its card lies from the list."""
        return f"{CARDS}/{quote(self.folder.name)}.png"

    @property
    def id(self) -> str:
        """Its name for feed readers: the same wherever the site lies, and however often it is built."""
        return uuid.uuid5(_NAMESPACE, f"{self.summary.key}/{self.folder.name}").urn


def entries(root: Path) -> tuple[Entry, ...]:
    """Return the reports that lie in folders of `root`; folders without a page or a summary are none.

    Raises:
        HeadshotError: A summary is damaged.
    """
    folders = sorted(path.parent for path in root.glob(f"[!.]*/{INDEX}"))
    found = [Entry(folder=folder, summary=summary) for folder in folders if (summary := load(folder)) is not None]
    return tuple(sorted(found, key=lambda one: datetime.fromisoformat(one.summary.ended_at), reverse=True))
