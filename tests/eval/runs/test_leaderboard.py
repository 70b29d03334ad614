"""One table over several runs: who is in it, under which name, at which place."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from eval.benchmark import benchmark
from eval.runs.leaderboard import leaderboard
from eval.runs.results import Run
from eval.specs.image import PSNR, SSIM
from eval.statistics.cells import summarise
from eval.systems.baselines import CopySource, MeanFrame, NearestFrame
from eval.tasks.making import make_tasks
from tests.eval.conftest import drawn_store
from weights.errors import HeadshotError

SPECS = [SSIM, PSNR]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three baselines over three drawn people. Not to be changed."""
    root = tmp_path_factory.mktemp("board")
    (root / "data").mkdir()
    store = drawn_store(root / "data")
    tasks = make_tasks(store, [1, 8], size_px=32)
    return benchmark(store, [CopySource(), MeanFrame(), NearestFrame()], tasks, root / "run", specs=SPECS)


def with_psnr(run: Run, values: dict[str, float], folder: str = "made") -> Run:
    """Return the run with every system at a value of its own, the same for twelve people but for a small spread."""
    rows = [row | {"identity": f"{row['identity']}{twin}"} for row in run.scores.to_pylist() for twin in range(4)]
    people = sorted({row["identity"] for row in rows})
    for row in rows:
        row["value"] = values[row["system"]] + 0.01 * people.index(row["identity"])
    scores = pa.Table.from_pylist(rows, schema=run.scores.schema).filter(pc.field("metric") == "psnr")
    record = run.record.model_copy(update={"specs": (PSNR,)})
    return replace(run, scores=scores, record=record, folder=Path("runs") / folder)


def ranks(*runs: Run) -> dict[str, tuple[int, bool]]:
    board = leaderboard(runs, metrics=["psnr"])
    return {one.cell.system: (one.rank.place, one.best_alone) for one in board.entries if one.cell.shots == 8}


def test_the_cells_of_one_run_are_those_of_its_summary(run: Run) -> None:
    assert [one.cell for one in leaderboard([run]).entries] == list(summarise(run.scores, SPECS))


def test_only_a_winner_over_all_is_best_alone(run: Run) -> None:
    distinct = with_psnr(run, {"copy-source": 20.0, "mean-frame": 30.0, "nearest-frame": 25.0})
    assert ranks(distinct) == {"mean-frame": (1, True), "nearest-frame": (2, False), "copy-source": (3, False)}


def test_equal_systems_share_a_place_and_nobody_is_best_alone(run: Run) -> None:
    tied = with_psnr(run, {"copy-source": 20.0, "mean-frame": 30.0, "nearest-frame": 30.0})
    assert ranks(tied) == {"mean-frame": (1, False), "nearest-frame": (1, False), "copy-source": (3, False)}


def test_three_people_have_places_and_nobody_is_best_alone(run: Run) -> None:
    board = leaderboard([run])
    assert not any(one.best_alone for one in board.entries)
    assert {one.rank.groups for one in board.entries} == {"a"}
    assert "no test can separate systems" in board.limits


def test_floors_and_ceilings_take_no_part(run: Run) -> None:
    systems = tuple(one.model_copy(update={"reference": one.name == "mean-frame"}) for one in run.record.systems)
    board = leaderboard([replace(run, record=run.record.model_copy(update={"systems": systems}))])
    assert {one.cell.system for one in board.entries} == {"copy-source", "nearest-frame"}


def test_lower_is_better_where_the_metric_says_so(run: Run) -> None:
    made = with_psnr(run, {"copy-source": 20.0, "mean-frame": 30.0, "nearest-frame": 25.0})
    error = PSNR.model_copy(update={"higher_is_better": False, "worst": 50.0})
    turned = replace(made, record=made.record.model_copy(update={"specs": (error,)}))
    assert ranks(turned)["copy-source"] == (1, True)


def test_a_system_that_is_the_same_in_two_runs_is_there_once_and_others_say_which_run(run: Run) -> None:
    one = with_psnr(run, {"copy-source": 20.0, "mean-frame": 30.0, "nearest-frame": 25.0}, "monday")
    other = with_psnr(run, {"copy-source": 20.0, "mean-frame": 28.0, "nearest-frame": 25.0}, "friday")
    assert ranks(one, other) == {
        "mean-frame (monday)": (1, True),
        "mean-frame (friday)": (2, False),
        "nearest-frame": (3, False),
        "copy-source": (4, False),
    }
    names = {entry.cell.system: entry.run for entry in leaderboard([one, other]).entries}
    assert names["mean-frame (friday)"] == "friday"


def test_folders_of_one_name_are_told_apart_by_their_paths(run: Run) -> None:
    one = with_psnr(run, {"copy-source": 20.0, "mean-frame": 30.0, "nearest-frame": 25.0})
    other = replace(
        with_psnr(run, {"copy-source": 20.0, "mean-frame": 28.0, "nearest-frame": 25.0}), folder=Path("x/made")
    )
    assert {"mean-frame (runs/made)", "mean-frame (x/made)"} < set(ranks(one, other))


def test_runs_that_are_not_comparable_are_refused(run: Run) -> None:
    newer = PSNR.model_copy(update={"version": PSNR.version + 1})
    other = replace(run, record=run.record.model_copy(update={"specs": (SSIM, newer)}), folder=Path("other"))
    with pytest.raises(HeadshotError, match="psnr is of version"):
        leaderboard([run, run, other])
