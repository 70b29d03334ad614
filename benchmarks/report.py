"""How long the report of a large run takes, how big it is, and how soon it is seen: `python -m benchmarks.report`.

People, pictures and scores are made up (`benchmarks.drawn_run`, `benchmarks.made_up`); everything else is real.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from eval.runs.results import RUN_FILE
from headshot.console import err, out, table

SHOTS = (1, 2, 4, 8, 16, 32)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPENINGS = 3
"""Of the page; the median counts."""


def main() -> None:
    """Make the run where it is missing, build its report in a fresh process, open it, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("data/large-run"), help="data set, run and report go there")
    parser.add_argument("--systems", type=int, default=10, help="how many are compared")
    parser.add_argument("--people", type=int, default=50, help="how many they are tested on")
    parser.add_argument("--frames", type=int, default=32, help="frames to draw of each person")
    parser.add_argument("--build-only", action="store_true", help="build the report in this process and print its cost")
    options = parser.parse_args()
    place = options.folder / f"{options.systems}-systems-{options.people}-people-{options.frames}-frames"
    if options.build_only:
        _build(place)
        return
    _make(place, options.systems, options.people, options.frames)
    command = [sys.executable, "-m", "benchmarks.report", "--build-only", *sys.argv[1:]]
    seconds, processor_s, peak_mb = map(
        float, subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.split()
    )
    page = place / "report" / "index.html"
    others = [path for path in page.parent.rglob("*") if path.is_file() and path != page]
    media = [path for path in others if path.parent.name == "media"]
    results = table(f"{options.systems} systems, {len(SHOTS)} numbers of shots, {options.people} people", *_HEADINGS)
    results.add_row("build", f"{seconds:.1f} s, {processor_s:.1f} s of processor time", "less than 60 s")
    results.add_row("peak memory of the process", f"{peak_mb:,.0f} MB", "less than 1,000 MB")
    results.add_row("index.html", f"{page.stat().st_size / 1e6:.2f} MB", "at most 2 MB")
    results.add_row("media", f"{_megabytes(media):.2f} MB in {len(media):,} files", "")
    results.add_row("other files", f"{_megabytes(others) - _megabytes(media):.2f} MB", "")
    results.add_row("first paint", _first_paint(page), "less than 1 s")
    out.print(results)


_HEADINGS = ("what", "measured", "goal")


def _make(place: Path, systems: int, people: int, frames: int) -> None:
    """Write data set and run, unless they are there."""
    if (place / "run" / RUN_FILE).is_file():
        return
    from benchmarks.drawn_run import drawn_dataset, drawn_run

    err.print(f"making {place}, once")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    drawn_run(place / "run", drawn_dataset(place / "data", people), systems, SHOTS, frames)


def _build(place: Path) -> None:
    """Build the report; print seconds, those of processor time, and the most megabytes it held; imports count."""
    started = time.perf_counter()
    from reports.build import build_report

    shutil.rmtree(place / "report", ignore_errors=True)
    build_report(place / "run", place / "data", place / "report")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    out.print(time.perf_counter() - started, time.process_time(), peak / 1e6)


def _megabytes(paths: list[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 1e6


def _first_paint(page: Path) -> str:
    """Return when a browser first shows content after it was told to open the page, by its own clock."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return "no playwright"
    if found is None:
        return "no Chromium"
    paints = []
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(OPENINGS):
            tab = chromium.new_page()
            tab.goto(page.resolve().as_uri())
            tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            paints.append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            tab.close()
        chromium.close()
    return f"{sorted(paints)[OPENINGS // 2] / 1000:.2f} s"


if __name__ == "__main__":
    main()
