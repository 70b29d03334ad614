"""From a folder of reports to a site for any static host."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from markupsafe import Markup
from pydantic import ValidationError

from reports.html import headshot_version, policy, style, templates
from reports.publish.card import card
from reports.publish.entries import CARDS, INDEX, Entry, entries
from reports.publish.feed import FEED, TITLE, feed
from reports.publish.tags import tagged, tags
from weights.errors import HeadshotError
from weights.files import publish
from weights.record import Record

SITE = "site.json"
NO_JEKYLL = ".nojekyll"
"""Keeps GitHub Pages from running the site through Jekyll."""


class SiteRecord(Record):
    """How a site was published, so that it can be published again in the same way."""

    schema_version: Literal[1] = 1
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was written."""

    index: Path
    entries: tuple[Entry, ...]
    written: int
    """Files that were not as they had to be, the removed ones among them."""


def publish_reports(root: Path, address: str = "") -> Published:
    """Make the folders of reports in `root` one site: list, feed, cards, and tags in the head of each report.

    Doing it again changes nothing. A report that is gone, because somebody in it left, is gone from all of these.

    Args:
        root: Folder of folders of reports.
        address: Where the site will be, such as `https://example.org/reports/`; without one, no link is absolute.

    Raises:
        HeadshotError: There is no such folder, the address is none, or a report is damaged.
    """
    if not root.is_dir():
        raise HeadshotError(f"{root} is no folder; write a report first, with `headshot report`")
    address = _checked(address)
    found = entries(root)
    files = {
        SITE: f"{SiteRecord(address=address).model_dump_json(indent=1)}\n".encode(),
        NO_JEKYLL: b"",
        "robots.txt": b"User-agent: *\nAllow: /\n",
        FEED: feed(found, address).encode(),
        INDEX: _list_page(found, address).encode(),
    }
    for one in found:
        page = one.folder / INDEX
        files[f"{CARDS}/{one.folder.name}.png"] = card(one.summary)
        files[f"{one.folder.name}/{INDEX}"] = tagged(
            page.read_text(encoding="utf-8"), tags(one, address), page
        ).encode()
    stale = [path for path in (root / CARDS).glob("*.png") if f"{CARDS}/{path.name}" not in files]
    written = sum(_write(root / name, content) for name, content in files.items())
    for path in stale:
        path.unlink()
    return Published(index=root / INDEX, entries=found, written=written + len(stale))


def republish(root: Path) -> Published | None:
    """Publish a site again as it was published before; None where it never was.

    Raises:
        HeadshotError: Its record or a report is damaged.
    """
    path = root / SITE
    try:
        record = SiteRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise HeadshotError(
            f"{path} is not of this version of headshot; publish again, with `headshot publish`"
        ) from None
    return publish_reports(root, record.address)


def _checked(address: str) -> str:
    """Return the address with a slash at its end, empty if there is none.

    Raises:
        HeadshotError: It is not absolute, or has what a folder of a site has not.
    """
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
        raise HeadshotError(f"--address {address}: give where the site will be, such as https://example.org/reports/")
    return f"{address.rstrip('/')}/" if address else ""


def _list_page(found: tuple[Entry, ...], address: str) -> str:
    look = style("style.css", "list.css")
    page = {"title": TITLE, "version": headshot_version(), "entries": found, "address": address, "feed": FEED}
    return templates().get_template("list.html").render(page=page, style=look, policy=policy(look, Markup("")))


def _write(path: Path, content: bytes) -> bool:
    """Write a file where it is not there or other, and return whether it was."""
    if path.is_file() and path.read_bytes() == content:
        return False
    with publish(path) as temporary:
        temporary.write_bytes(content)
    return True
