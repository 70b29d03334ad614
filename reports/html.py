"""What every page shares: templates that escape, inlined style and scripts, and a policy that lets nothing else in."""

import base64
import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDERS = tuple(Path(__file__).parent / folder for folder in ("templates", "charts/templates"))
"""Where templates and style sheets lie; no two have one name."""


@cache
def templates() -> Environment:
    """Return the environment of all templates."""
    return Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style(*names: str) -> Markup:
    """Return style sheets of `FOLDERS` as one text, each once."""
    return _joined(names)


def script(*names: str) -> Markup:
    """Return scripts of `FOLDERS` as one text, each once and closed in by itself; empty where there are none."""
    return _joined(names, "(() => {{\n{}}})();")


def policy(look: Markup, run: Markup) -> Markup:
    """Return the content security policy of a page: exactly this style and script, its own media, nothing else.

    Args:
        look: The one style sheet in the page.
        run: The one script in it; empty where it has none.
    """
    scripts = f"; script-src '{_digest(run)}'" if run else ""
    return Markup(
        f"default-src 'none'; img-src 'self' data:; media-src 'self' data:; style-src '{_digest(look)}'{scripts}; "
        "base-uri 'none'; form-action 'none'"
    )


def headshot_version() -> str:
    """Return the version of this package."""
    try:
        return version("headshot")
    except PackageNotFoundError:
        return "(not installed)"


def _joined(names: tuple[str, ...], around: str = "{}") -> Markup:
    texts = (_source(name) for name in dict.fromkeys(names))
    return Markup("\n".join(around.format(text) for text in texts))


def _source(name: str) -> str:
    return next(folder / name for folder in FOLDERS if (folder / name).is_file()).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
