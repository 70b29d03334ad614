"""jsPsych, which runs the trials: from its packages, without its fonts and without anything that points elsewhere."""

import re
from dataclasses import dataclass

from weights.archives import Progress
from weights.package_files import PackageFile, fetch_files
from weights.providers import Archive

_CORE = Archive(
    provider="npm",
    name="jspsych@8.3.0",
    sha256="cf45b01d6e821e5ec12aac714dfda0f2db9d5a49517eb90bc556edf0ffab9cd5",
    size_bytes=765_686,
)
_PLUGIN = Archive(
    provider="npm",
    name="@jspsych/plugin-html-button-response@2.1.0",
    sha256="66beeac80663ea3cefd2570a2d5774551752eaf6b58b37ec209087d5cd681c6f",
    size_bytes=12_655,
)
FILES = (
    PackageFile(
        archive=_CORE,
        member="package/dist/index.browser.min.js",
        sha256="b58c69e607f2ddbd282f2daec43d882cac18d9e3efdad816215b818d1406d6ce",
    ),
    PackageFile(
        archive=_PLUGIN,
        member="package/dist/index.browser.min.js",
        sha256="d4df2ebfd7dfac1451198dcb2b3ea45ad810eda7aa24e45e6851e1b531cbf0c9",
    ),
    PackageFile(
        archive=_CORE,
        member="package/css/jspsych.css",
        sha256="c12a72534d1676abd0e6a78c5040a78deae5798ee646284290d3be465291a3a4",
    ),
)
"""Core, plugin and style sheet."""
NOTICE = "study/jspsych-licence.txt"
"""Goes into every page that holds the program."""

_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsPsych:
    """The program as it stands in a page."""

    script: str
    style: str


def fetch_jspsych(progress: Progress | None = None) -> JsPsych:
    """Return jsPsych with the plugin html-button-response.

    Raises:
        HeadshotError: The packages cannot be had.
    """
    core, plugin, style = (path.read_text(encoding="utf-8") for path in fetch_files(FILES, progress))
    return JsPsych(script=f"{without_source_map(core)}\n{without_source_map(plugin)}", style=without_fonts(style))


def without_fonts(style: str) -> str:
    """Return a style sheet without embedded fonts and comments: 4 of 476 kB are left."""
    kept = _COMMENT.sub("", _FONT_FACE.sub("", style))
    return "\n".join(line.rstrip() for line in kept.splitlines() if line.strip())


def without_source_map(script: str) -> str:
    """Return a script without the address at which a browser's tools would look for its source."""
    return _SOURCE_MAP.sub("", script).strip()
