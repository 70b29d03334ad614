"""What every page shares: templates that escape, inlined style, and a policy that lets nothing else in."""

import base64
import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).with_name("templates")


@cache
def templates() -> Environment:
    """Return the environment of all templates."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style(*names: str) -> tuple[Markup, str]:
    """Return style sheets as one text, and the hash by which a content security policy admits exactly this text."""
    text = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"sha256-{digest}"


def headshot_version() -> str:
    """Return the version of this package."""
    try:
        return version("headshot")
    except PackageNotFoundError:
        return "(not installed)"
