"""Two runs side by side: what may be compared, by how much they differ, and what fails a gate."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from eval.benchmark import benchmark
from eval.runs.comparable import shared_specs
from eval.runs.results import Run, WeightRecord
from eval.runs.two_runs import Gate, compare
from eval.specs.image import LPIPS_EMBEDDED, LPIPS_PAPER, PSNR, SSIM
from eval.statistics.comparisons import differences
from eval.systems.baselines import CopySource, MeanFrame, NearestFrame
from eval.tasks.making import make_tasks
from tests.eval.conftest import drawn_store
from weights.errors import HeadshotError

SPECS = [SSIM, PSNR]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three baselines over three drawn people with three twins each, so that a test can tell. Not to be changed."""
    root = tmp_path_factory.mktemp("both")
    (root / "data").mkdir()
    store = drawn_store(root / "data")
    tasks = make_tasks(store, [1, 8], size_px=32)
    few = benchmark(store, [CopySource(), MeanFrame(), NearestFrame()], tasks, root / "run", specs=SPECS)
    rows = [row | {"identity": f"{row['identity']}{twin}"} for row in few.scores.to_pylist() for twin in range(4)]
    return replace(few, scores=pa.Table.from_pylist(rows, schema=few.scores.schema))


def shifted(run: Run, by: float) -> Run:
    """Return the run in another folder, with all values raised."""
    values = pc.add(run.scores["value"], by)
    scores = run.scores.set_column(run.scores.column_names.index("value"), run.scores.schema.field("value"), values)
    return replace(run, scores=scores, folder=Path("other"))


def other(run: Run, **changes: object) -> Run:
    return replace(run, record=run.record.model_copy(update=changes), folder=Path("other"))


def test_a_run_against_itself_differs_by_nothing_and_passes_every_gate_but_one(run: Run) -> None:
    found = compare(run, run)
    assert len(found) == 3 * 2 * len(SPECS)
    assert {(one.gap.value, one.gap.verdict) for one in found} == {(0.0, "not separated")}
    assert all(one.before == one.after for one in found)
    assert not [one for one in found if Gate(fail_if="worse", max_loss=0).fault(one)]
    assert all(Gate(fail_if="not-better").fault(one) for one in found)


def test_a_shift_is_found_to_the_last_digit_and_its_direction_is_that_of_the_metric(run: Run) -> None:
    found = {(one.gap.system, one.gap.shots, one.spec.id): one for one in compare(run, shifted(run, -0.01))}
    one = found["mean-frame", 8, "psnr"]
    assert one.gap.value == pytest.approx(-0.01)
    assert (one.loss, one.gap.verdict) == (pytest.approx(0.01), "worse")
    assert "mean-frame at 8 shots, psnr: worse by 0.01" in Gate(fail_if="worse").fault(one)
    assert Gate(max_loss=0.005).fault(one) is not None
    assert Gate(max_loss=0.02).fault(one) is None
    (back,) = [one for one in compare(shifted(run, -0.01), run, pairs=[("mean-frame",) * 2]) if one.gap.shots == 8][1:]
    assert (back.loss, back.gap.verdict) == (pytest.approx(-0.01), "better")


def test_systems_of_other_names_are_paired_as_within_one_run(run: Run) -> None:
    found = compare(run, run, pairs=[("copy-source", "nearest-frame")])
    within = differences(run.scores, SPECS, "nearest-frame", "copy-source")
    assert [one.gap for one in found] == list(within)
    assert {one.gap.verdict for one in found if one.gap.shots == 8} == {"better"}


def test_a_stratum_is_compared_over_its_own_frames(run: Run) -> None:
    found = compare(run, run, pairs=[("copy-source", "nearest-frame")], stratum="far")
    assert [one.gap for one in found] == list(
        differences(run.scores, SPECS, "nearest-frame", "copy-source", stratum="far")
    )


def test_a_value_that_is_gone_fails_a_gate_and_one_that_never_was_does_not(run: Run) -> None:
    (one,) = (
        one for one in compare(run, run, metrics=["psnr"]) if (one.gap.system, one.gap.shots) == ("mean-frame", 1)
    )
    nothing = replace(one, gap=replace(one.gap, value=np.nan), after=np.nan)
    never = replace(nothing, before=np.nan)
    assert "cannot be measured" in Gate(fail_if="worse").fault(nothing)
    assert Gate(fail_if="worse").fault(never) is None
    assert "cannot be measured" in Gate(max_loss=1).fault(never)


def test_an_unknown_system_is_refused_with_those_there_are(run: Run) -> None:
    with pytest.raises(HeadshotError, match=r"beauty to compare: .* has copy-source, mean-frame, nearest-frame"):
        compare(run, run, pairs=[("beauty", "mean-frame")])


def test_other_data_are_refused(run: Run) -> None:
    data = run.record.dataset.model_copy(update={"manifest_sha256": "e" * 64, "name": "elsewhere"})
    with pytest.raises(HeadshotError, match=r"other is over the data set elsewhere, and .* over drawn"):
        compare(run, other(run, dataset=data))
    again = run.record.dataset.model_copy(update={"dataset_sha256": "e" * 64})
    with pytest.raises(HeadshotError, match="another preprocessing of drawn"):
        compare(run, other(run, dataset=again))


def test_other_tasks_are_refused_with_what_is_other(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    tasks = make_tasks(drawn_store(tmp_path / "data"), [1, 4], size_px=32, seed=7)
    changed = replace(other(run, tasks_sha256=tasks.sha256()), tasks=tasks)
    with pytest.raises(HeadshotError, match=r"other tasks than .* \(seed 7, not 0, shots \[1, 4\], not \[1, 8\]\)"):
        compare(run, changed)


def test_a_quick_look_and_another_protocol_are_refused_by_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    store = drawn_store(tmp_path / "data")
    for tasks, said in (
        (make_tasks(store, [1, 8], size_px=32, limit=2), "limit 2, not None"),
        (make_tasks(store, [1, 8], size_px=32, protocol="cross"), "protocol cross, not self"),
    ):
        with pytest.raises(HeadshotError, match=said):
            compare(run, replace(other(run, tasks_sha256=tasks.sha256()), tasks=tasks))


def test_metrics_of_two_versions_are_refused(run: Run) -> None:
    newer = SSIM.model_copy(update={"version": SSIM.version + 1})
    changed = other(run, specs=(newer, PSNR))
    with pytest.raises(HeadshotError, match=f"ssim is of version {SSIM.version} in .* and {newer.version} in other"):
        compare(run, changed)
    assert {one.spec.id for one in compare(run, changed, metrics=["psnr"])} == {"psnr"}


def test_a_metric_that_one_run_lacks_is_refused_unless_others_are_named(run: Run) -> None:
    fewer = other(run, specs=(PSNR,))
    with pytest.raises(HeadshotError, match="other has no ssim: score it again with `headshot score`"):
        compare(run, fewer)
    assert {one.spec.id for one in compare(run, fewer, metrics=["psnr"])} == {"psnr"}


def test_two_profiles_and_two_files_of_one_network_are_refused(run: Run) -> None:
    def measured(spec: object, sha256: str) -> Run:
        weights = tuple(WeightRecord(id=name, sha256=sha256, licence="", source="") for name in spec.weights)
        return other(run, specs=(spec,), weights=weights)

    embedded, paper = measured(LPIPS_EMBEDDED, "a" * 64), measured(LPIPS_PAPER, "a" * 64)
    with pytest.raises(HeadshotError, match=r"bring them to one profile and file with `headshot score`"):
        shared_specs([embedded, replace(paper, folder=Path("third"))])
    mended = replace(measured(LPIPS_EMBEDDED, "b" * 64), folder=Path("third"))
    with pytest.raises(HeadshotError, match=rf"lpips.alex is over \S+ \({'a' * 12}\) in other and \S+ \({'b' * 12}\)"):
        shared_specs([embedded, mended])


def test_all_reasons_are_given_at_once(run: Run) -> None:
    data = run.record.dataset.model_copy(update={"dataset_sha256": "e" * 64})
    with pytest.raises(HeadshotError) as refused:
        compare(run, other(run, dataset=data, specs=(PSNR,)))
    assert "another preprocessing" in str(refused.value)
    assert "no ssim" in str(refused.value)
