"""Manifests from files. The suffix names the format."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from manifests.schema import Manifest
from weights.errors import HeadshotError

DEMO = Path(__file__).with_name("demo.toml")
"""The sample clips that come from packages."""

_SHOWN = 5


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in the file at `path`, checked.

    Raises:
        HeadshotError: The file is absent, of an unknown format or broken, or a rule of the manifest is; the
            message names the clip and the field.
    """
    if path.suffix != ".toml":
        raise HeadshotError(f"{path}: manifests are read from .toml files, not {path.suffix or 'no suffix'!r}")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise HeadshotError(f"{path}: there is no such manifest; the sample clips are in {DEMO}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HeadshotError(f"{path} is not valid TOML: {error}; correct it there") from error
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise HeadshotError(_explain(path, content, error)) from error


def _explain(path: Path, content: dict[str, Any], error: ValidationError) -> str:
    problems = error.errors()
    lines = [_describe(problem, content) for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"and {len(problems) - _SHOWN} more")
    return f"{path}: {'; '.join(lines)}. Correct the manifest and run the command again"


def _describe(problem: ErrorDetails, content: dict[str, Any]) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    location = [str(part) for part in problem["loc"]]
    if location[:1] == ["clips"] and len(location) > 1:
        location[:2] = [_clip_name(content["clips"][int(location[1])], int(location[1]))]
    found = "" if problem["type"] in ("missing", "value_error") else f" (found {problem['input']!r})"
    return f"{', '.join(location)}: {message}{found}" if location else message


def _clip_name(clip: Any, index: int) -> str:
    """Return the key of a clip as far as it can be read, else its place in the file."""
    names = [clip.get(field) for field in ("identity", "video", "clip")] if isinstance(clip, dict) else [None]
    return f"clip {'/'.join(map(str, names))}" if all(names) else f"clip number {index + 1}"
