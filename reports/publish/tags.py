"""What a page says to programs that show a link to it: title, sentence, card, canonical address."""

import re
from pathlib import Path

from markupsafe import Markup

from reports.publish.card import HEIGHT_PX, WIDTH_PX, alternative
from reports.publish.entries import INDEX, Entry
from reports.publish.feed import FEED
from weights.errors import HeadshotError

_START, _END = "<!-- sharing -->", "<!-- /sharing -->"
_BLOCK = re.compile(rf"{_START}.*?{_END}\n", re.DOTALL)
_HEAD_ENDS = "</head>"


def tags(one: Entry, address: str = "") -> Markup:
    """Return the tags of a report (Open Graph, Twitter), between two comments.

    Args:
        one: The report.
        address: Of the site, with a slash at its end. Canonical address and card need one: without, they are left out.
    """
    summary = one.summary
    properties = {
        "og:type": "article",
        "og:site_name": "headshot",
        "og:title": summary.title,
        "og:description": f"{summary.headline}.",
    }
    names = {
        "description": f"{summary.headline}. {summary.sample}.",
        "twitter:card": "summary_large_image" if address else "summary",
        "twitter:title": summary.title,
        "twitter:description": f"{summary.headline}.",
    }
    lines = [Markup('<link rel="alternate" type="application/atom+xml" href="../{}">').format(FEED)]
    if address:
        page, card = f"{address}{one.href.removesuffix(INDEX)}", f"{address}{one.card}"
        lines.append(Markup('<link rel="canonical" href="{}">').format(page))
        size = {"og:image:width": str(WIDTH_PX), "og:image:height": str(HEIGHT_PX)}
        properties |= {"og:url": page, "og:image": card, **size, "og:image:alt": alternative(summary)}
        names |= {"twitter:image": card, "twitter:image:alt": alternative(summary)}
    lines += [Markup('<meta property="{}" content="{}">').format(*pair) for pair in properties.items()]
    lines += [Markup('<meta name="{}" content="{}">').format(*pair) for pair in names.items()]
    return Markup("\n").join([Markup(_START), *lines, Markup(_END), Markup("")])


def tagged(html: str, block: str, path: Path) -> str:
    """Return a page with these tags at the end of its head, in place of earlier ones.

    Raises:
        HeadshotError: It is no page with a head.
    """
    head, ends, rest = html.partition(_HEAD_ENDS)
    if not ends:
        raise HeadshotError(f"{path} is no page of headshot; write the report again")
    return f"{untagged(head)}{block}{ends}{rest}"


def untagged(html: str) -> str:
    """Return a page as it was before it got tags."""
    return _BLOCK.sub("", html, count=1)
