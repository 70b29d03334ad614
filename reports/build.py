"""From a finished benchmark to a site on disk."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from eval.marking import marking_effect
from eval.runs.results import Run
from model.disclosure.statement import ALL, Marks
from pipeline.store import Store
from reports import dataset_page
from reports.answer import answer_section
from reports.compare.build import write_comparison
from reports.compare.page import ComparePage
from reports.downloads import downloads, links
from reports.findings import MOST_PICTURES, Findings, findings
from reports.legend import legend
from reports.media import Media, NoRoomError
from reports.page import compose, render, render_again, render_more
from reports.publish import summary
from reports.publish.summary import chart_of
from reports.site import INDEX, publish_site
from weights.errors import HeadshotError
from weights.files import publish_text

MOST_PAGE_BYTES = 2_000_000
"""Of a page without its media: above this it opens slowly in a browser."""
MOST_FILE_BYTES = 10_000_000
"""Of a page with its media inside."""
ROOM_BYTES = 2_000_000
"""Of one file, kept for what is not a picture or a video."""
PICTURES = (MOST_PICTURES, 300, 60, 1)
"""How many pictures of test clips to try, from many to few, until one file is small enough."""


def build_report(
    run_dir: Path, data_root: Path | str, out_dir: Path, *, single_file: bool = False, marks: Marks = ALL
) -> Path:
    """Write the report of a run as a static site and return the path of its first page.

    Args:
        run_dir: Folder of a finished benchmark.
        data_root: Folder or address of the data set it ran on.
        out_dir: Where the site goes, in place of an earlier one; it appears whole or not at all.
        single_file: Put everything into `index.html`, pictures too, which are then fewer where they do not fit.
        marks: What every synthetic picture carries; what is left out is said on the page.

    Raises:
        HeadshotError: The run is not finished, the data set is another one, the page would be too large to open, or
            `out_dir` holds something else than a report.
    """
    run, store = opened(run_dir, data_root)
    with publish_site(out_dir) as site:
        write_site(run, store, site, single_file=single_file, marks=marks)
    return out_dir / INDEX


def build_reports(
    run_dirs: Sequence[Path],
    data_root: Path | str,
    out_dir: Path,
    *,
    single_file: bool = False,
    marks: Marks = ALL,
) -> ComparePage:
    """Write the reports of several runs as one site, and return its first page, which compares them.

    Args:
        run_dirs: Folders of finished benchmarks on one data set.
        data_root: Folder or address of that.
        out_dir: Where the site goes, in place of an earlier one; it appears whole or not at all. The report of each run
            lies in a folder of its own.
        single_file: Write each report as one file.
        marks: What every synthetic picture carries.

    Raises:
        HeadshotError: As `build_report`, or two runs have one name.
    """
    found = {folder.resolve().name: opened(folder, data_root) for folder in run_dirs}
    if len(found) < len(run_dirs):
        raise HeadshotError(
            f"{', '.join(map(str, run_dirs))}: a report is named by the folder of its run; "
            "give every run once, in folders of different names"
        )
    with publish_site(out_dir) as site:
        for name, (run, store) in found.items():
            write_site(run, store, site / name, single_file=single_file, marks=marks)
        links = {name: f"{quote(name)}/{INDEX}" for name in found}
        return write_comparison([run for run, _ in found.values()], site, links)


def measure_marks(run_dir: Path, data_root: Path | str) -> None:
    """Measure what marks do to the scores of a run, once, so that its report can say it; takes seconds.

    Raises:
        HeadshotError: The run is not finished, or the data set is another one.
    """
    run, store = opened(run_dir, data_root)
    contenders, _ = run.split()
    labelled = [
        key.name for key in legend([(one.name, one.title) for one in contenders.record.systems]).values() if key.mark
    ]
    if not run.tasks.across:
        marking_effect(contenders, store, labelled)


def opened(run_dir: Path, data_root: Path | str) -> tuple[Run, Store]:
    """Return a finished benchmark and the data set it ran on.

    Raises:
        HeadshotError: The run is not finished, or the data set is another one.
    """
    run, store = Run.open(run_dir), Store.open(data_root)
    if store.info.manifest_sha256 != run.record.dataset.manifest_sha256:
        raise HeadshotError(
            f"{run_dir} was run on {run.record.dataset.name} (manifest {run.record.dataset.manifest_sha256[:12]}), "
            f"but {data_root} holds {store.info.name} (manifest {store.info.manifest_sha256[:12]}); "
            "give the data set of the run, or run the benchmark again"
        )
    return run, store


def write_site(run: Run, store: Store, site: Path, *, single_file: bool, marks: Marks = ALL) -> None:
    """Write all files of the report of one run into a folder.

    Raises:
        HeadshotError: A page would be too large to open.
    """
    if single_file:
        found, html = _one_file(run, store, marks)
        publish_text(site / INDEX, html)
    else:
        found = findings(run, store, Media(site, marks=marks))
        _write_pages(found, site)
    line, chart = answer_section(found).headline, chart_of(found.cells, found.specs[0])
    summary.save(site, summary.summary_of(found.run, found.title, line, chart))


def _write_pages(found: Findings, site: Path) -> None:
    """Write the pages of a report, and its downloads beside them."""
    files = downloads(found)
    page = compose(found, links(files, inside=False))
    data = dataset_page.render(dataset_page.compose(found.store, found.media), page.content("people"))
    pages = {INDEX: render(page), "dataset.html": data, "reproduce.html": render_again(page)}
    if more := render_more(page):
        pages["more.html"] = more
    for name, html in pages.items():
        publish_text(site / name, _checked(html, f"{name} of {found.run.folder}", MOST_PAGE_BYTES))
    for name, text in files.items():
        publish_text(site / name, text)


def _one_file(run: Run, store: Store, marks: Marks) -> tuple[Findings, str]:
    """Return the report as one page, with as many pictures as fit."""
    for most_pictures in PICTURES:
        media = Media(most_bytes=MOST_FILE_BYTES - ROOM_BYTES, marks=marks)
        try:
            found = findings(run, store, media, most_pictures=most_pictures)
            html = render(compose(found, links(downloads(found), inside=True)))
        except NoRoomError:
            continue
        if len(html.encode()) <= MOST_FILE_BYTES:
            return found, html
    raise HeadshotError(
        f"the report of {run.folder} does not fit into one file of {MOST_FILE_BYTES / 1e6:.0f} MB even with few "
        "pictures; leave out --single-file"
    )


def _checked(html: str, what: str, most_bytes: int) -> str:
    size = len(html.encode())
    if size > most_bytes:
        raise HeadshotError(
            f"{what} would be {size / 1e6:.1f} MB, above the limit of {most_bytes / 1e6:.0f} MB; "
            "benchmark fewer systems or shots in one run"
        )
    return html
