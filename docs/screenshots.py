"""Take the pictures of a report that the guides show: `make screenshots`, or `python docs/screenshots.py --help`.

Needs playwright and an installed Chromium.
"""

import argparse
import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from headshot.console import out
from model.disclosure.mark import write_picture
from model.disclosure.statement import Shown
from weights.errors import HeadshotError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MOST_BYTES = 400_000
PATIENCE_MS = 120_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture."""

    name: str
    words: str
    anchor: str = ""
    """The section at its top; the top of the page where empty."""
    width_px: int = 1280
    height_px: int = 1000
    scheme: Literal["light", "dark"] = "light"
    synthetic: bool = False
    """Whether it shows people who were drawn, and carries the marks of that."""


SHOTS = (
    Shot(name="report-light", words="The top of a report: question, answer, who was tested"),
    Shot(name="report-dark", words="The main table on a dark screen", anchor="results", scheme="dark"),
    Shot(name="report-phone", words="A report on a phone", width_px=390, height_px=844),
    Shot(name="report-charts", words="Quality against the number of source frames", anchor="shots"),
    Shot(name="report-differences", words="Paired differences against the best system", anchor="differences"),
    Shot(name="report-pictures", words="The player: every system at the same frame", anchor="pictures", synthetic=True),
)


def main() -> None:
    """Take every picture that the report has a section for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path, default=Path("reports/out/demo"), help="folder of the report")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images", help="folder of the pictures")
    options = parser.parse_args()
    page = options.report / "index.html"
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not page.is_file() or found is None:
        raise HeadshotError(f"needs {page}, and one of {', '.join(BROWSERS)}")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            path = options.out / f"{shot.name}.jpg"
            if take(chromium, page, shot, path):
                out.print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {shot.words}")
            else:
                out.print(f"{shot.name}: left out, the report has no section {shot.anchor}")
        chromium.close()


def take(browser: Browser, page: Path, shot: Shot, path: Path) -> bool:
    """Write one picture as JPEG, marked if it shows synthetic people; return whether the page has the section.

    Raises:
        HeadshotError: It is too large for a guide.
    """
    view: Any = {"width": shot.width_px, "height": shot.height_px}
    context = browser.new_context(viewport=view, color_scheme=shot.scheme, reduced_motion="reduce")
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.goto(f"{page.resolve().as_uri()}{'#' if shot.anchor else ''}{shot.anchor}")
    there = not shot.anchor or tab.locator(f"#{shot.anchor}").count() > 0
    if there:
        tab.wait_for_function("[...document.images].every(image => image.complete || image.loading === 'lazy')")
        picture = np.asarray(Image.open(io.BytesIO(tab.screenshot())).convert("RGB"))
        words = f"{shot.words}. Pictures of people in it are labelled where they are synthetic."
        write_picture(path, picture, Shown(description=words) if shot.synthetic else None, place="drawn")
    context.close()
    if there and path.stat().st_size > MOST_BYTES:
        raise HeadshotError(f"{path} has {path.stat().st_size / 1000:.0f} kB, more than {MOST_BYTES / 1000:.0f}")
    return there


if __name__ == "__main__":
    main()
