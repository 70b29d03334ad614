"""The feed of reports, for readers of feeds.

Source: RFC 4287, The Atom Syndication Format.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from reports.html import headshot_version
from reports.publish.entries import Entry

FEED = "feed.xml"
TITLE = "headshot: comparisons of few-shot talking-head models"
_ATOM = "http://www.w3.org/2005/Atom"
_NOBODY = datetime(1970, 1, 1, tzinfo=UTC)
"""When a site without reports last changed."""


def feed(found: Sequence[Entry], address: str = "") -> str:
    """Return the feed; links are absolute where the address of the site is known, else from the feed's place.

    Args:
        found: The reports, the newest first.
        address: Of the site, with a slash at its end.
    """
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, "title", TITLE)
    _add(root, "id", address or uuid.uuid5(uuid.NAMESPACE_URL, "headshot/feed").urn)
    _add(root, "updated", _moment(max((_ended(one) for one in found), default=_NOBODY)))
    _add(_add(root, "author"), "name", "headshot")
    _add(root, "generator", "headshot", version=headshot_version())
    _add(root, "link", rel="alternate", type="text/html", href=address or "index.html")
    if address:
        _add(root, "link", rel="self", type="application/atom+xml", href=f"{address}{FEED}")
    for one in found:
        _add_entry(root, one, address)
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add_entry(root: ET.Element, one: Entry, address: str) -> None:
    summary, entry = one.summary, _add(root, "entry")
    _add(entry, "title", summary.title)
    _add(entry, "id", one.id)
    _add(entry, "published", _moment(datetime.fromisoformat(summary.started_at)))
    _add(entry, "updated", _moment(_ended(one)))
    _add(entry, "link", rel="alternate", type="text/html", href=f"{address}{one.href}")
    caveats = "".join(f" {caveat[:1].upper()}{caveat[1:]}." for caveat in summary.caveats)
    _add(entry, "summary", f"{summary.headline}. {summary.sample}.{caveats}")


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    """Append an element; characters that XML cannot hold are left out."""
    child = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = "".join(one for one in text if one.isprintable()) or None
    return child


def _ended(one: Entry) -> datetime:
    return datetime.fromisoformat(one.summary.ended_at)


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
