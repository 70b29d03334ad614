"""From several finished benchmarks to the page that compares them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from eval.runs.results import Run
from reports.compare.page import ComparePage, compose, render
from reports.publish import summary
from reports.publish.summary import Summary
from weights.errors import HeadshotError
from weights.files import publish_text


def build_comparison(run_dirs: Sequence[Path], out_dir: Path, links: Mapping[str, str] | None = None) -> ComparePage:
    """Write `index.html` that compares runs, and return what is on it.

    Runs that cannot be compared are on the page as such, with the reasons and without numbers.

    Args:
        run_dirs: Folders of two or more finished benchmarks.
        out_dir: Where the page goes; it appears whole or not at all.
        links: Where the report of each run lies, from the page, by its name in `reports.compare.page.run_names`.

    Raises:
        HeadshotError: There are fewer than two runs, or one of them is not finished.
    """
    if len({folder.resolve() for folder in run_dirs}) < max(2, len(run_dirs)):
        raise HeadshotError(f"{', '.join(map(str, run_dirs))}: give two or more runs, each of them once")
    return write_comparison([Run.open(folder) for folder in run_dirs], out_dir, links)


def write_comparison(runs: Sequence[Run], out_dir: Path, links: Mapping[str, str] | None = None) -> ComparePage:
    """Write the same of benchmarks that are open already."""
    page = compose(runs, links)
    publish_text(out_dir / "index.html", render(page))
    summary.save(out_dir, _summary(runs, page))
    return page


def _summary(runs: Sequence[Run], page: ComparePage) -> Summary:
    """Return the summary of the page; it has a chart only where everything on the page is comparable."""
    each = [summary.summary_of(run, page.title, page.headline) for run in runs]
    people = {person for run in runs for person in run.tasks.identities()}
    return each[0].model_copy(
        update={
            "kind": "comparison",
            "key": " ".join(one.key for one in each),
            "people": len(people),
            "systems": tuple(dict.fromkeys(name for one in each for name in one.systems)),
            "shots": tuple(sorted({shots for one in each for shots in one.shots})),
            "caveats": tuple(dict.fromkeys(caveat for one in each for caveat in one.caveats)),
            "quick_look": any(one.quick_look for one in each),
            "started_at": min((one.started_at for one in each), key=datetime.fromisoformat),
            "ended_at": max((one.ended_at for one in each), key=datetime.fromisoformat),
            "chart": page.sides[0].chart if page.sides and not page.refusals else None,
        }
    )
