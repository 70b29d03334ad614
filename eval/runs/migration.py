"""Run records of earlier versions, as they would be written now."""

from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from weights.errors import HeadshotError

Content = dict[str, JsonValue]


def migrated(content: JsonValue, path: Path) -> JsonValue:
    """Return the content of a run record at the version of this code, one step after the other.

    Args:
        content: What the file holds.
        path: Of the file, for messages.

    Raises:
        HeadshotError: It is of a version that no step leads from.
    """
    if not isinstance(content, dict):
        return content
    version = content.get("schema_version")
    while isinstance(version, int) and version in _STEPS:
        content, version = _STEPS[version](content), version + 1
    if version != CURRENT:
        raise HeadshotError(_refusal(version, path))
    return content


def _refusal(version: JsonValue, path: Path) -> str:
    start = (
        f"{path} is a run record of version {version}, and this version of headshot reads {min(_STEPS)} to {CURRENT}"
    )
    if isinstance(version, int) and version > CURRENT:
        return f"{start}; install a newer headshot, which wrote it"
    return f"{start}; run `headshot benchmark` again: predictions that are still current are not rendered again"


def _from_2(content: Content) -> Content:
    """Add what version 3 knows: undelivered tasks by name.

    New fields of cost, systems and metrics take their defaults: nobody measured that, and there were no references.
    """
    return {**content, "schema_version": 3, "undelivered": []}


_STEPS: dict[int, Callable[[Content], Content]] = {2: _from_2}
CURRENT = 3
