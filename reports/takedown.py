"""Pages that show somebody who left: written again without them, or removed where that is not possible."""

from collections.abc import Callable
from pathlib import Path

from pipeline.layout import DatasetLayout
from pipeline.takedown import Change
from reports.build import build_report
from reports.dataset_page import build_dataset_page
from reports.publish.build import republish
from reports.publish.tags import untagged
from reports.site import INDEX, remove_site
from weights.errors import HeadshotError


def take_out(report: Path, run_dir: Path, data_root: Path) -> tuple[Change, ...]:
    """Write the report of a run and the statistics page of its data set again, and return what changed.

    A report is removed where its run is not finished any more, because the person was under test. If the report was
    published beside others, they are published again, in the same way.

    Args:
        report: Folder of the report.
        run_dir: Folder of the run, without the person.
        data_root: Folder of the data set, without the person.
    """
    page, statistics = report / INDEX, DatasetLayout(data_root).statistics
    alone = not (report / "dataset.html").is_file()
    changes = (
        *_renew(
            page,
            "report",
            lambda: build_report(run_dir, data_root, report, single_file=alone),
            lambda: remove_site(report),
        ),
        *_renew(statistics, "statistics page", lambda: build_dataset_page(data_root), statistics.unlink),
    )
    republish(report.parent)
    return changes


def _renew(page: Path, what: str, build: Callable[[], Path], remove: Callable[[], None]) -> tuple[Change, ...]:
    if not page.is_file():
        return ()
    before = untagged(page.read_text(encoding="utf-8"))
    try:
        build()
    except HeadshotError:
        remove()
        return (Change(what=f"{what}, removed", files=1, rows=0, unit=""),)
    changed = untagged(page.read_text(encoding="utf-8")) != before
    return (Change(what=f"{what}, written again", files=1, rows=0, unit=""),) if changed else ()
