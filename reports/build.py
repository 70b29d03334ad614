"""From a finished benchmark to a page on disk."""

from pathlib import Path

from eval.runs.results import Run
from pipeline.store import Store
from reports.page import compose, render
from weights.errors import HeadshotError
from weights.files import publish_text

MOST_BYTES = 8_000_000
"""Above this a page opens slowly in a browser."""
PICTURES = (900, 300, 60, 1)
"""How many pictures of test clips to try, from many to few, until the page is small enough."""


def build_report(run_dir: Path, data_root: Path | str, out_dir: Path) -> Path:
    """Write the self-contained report of a run and return its path.

    Args:
        run_dir: Folder of a finished benchmark.
        data_root: Folder or address of the data set it ran on.
        out_dir: Where `index.html` goes; it appears whole or not at all.

    Raises:
        HeadshotError: The run is not finished, the data set is another one, or the page would be too large to open.
    """
    run, store = Run.open(run_dir), Store.open(data_root)
    if store.info.manifest_sha256 != run.record.dataset.manifest_sha256:
        raise HeadshotError(
            f"{run_dir} was run on {run.record.dataset.name} (manifest {run.record.dataset.manifest_sha256[:12]}), "
            f"but {data_root} holds {store.info.name} (manifest {store.info.manifest_sha256[:12]}); "
            "give the data set of the run, or run the benchmark again"
        )
    html = _fitting_page(run, store)
    path = out_dir / "index.html"
    publish_text(path, html)
    return path


def _fitting_page(run: Run, store: Store) -> str:
    """Return the page with as many pictures as fit."""
    for most_pictures in PICTURES:
        html = render(compose(run, store, most_pictures=most_pictures))
        if len(html.encode()) <= MOST_BYTES:
            return html
    raise HeadshotError(
        f"the report of {run.folder} would be {len(html.encode()) / 1e6:.1f} MB even with few pictures, "
        f"above the limit of {MOST_BYTES / 1e6:.0f} MB; benchmark fewer systems or shots in one run"
    )
