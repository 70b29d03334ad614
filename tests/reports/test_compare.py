"""Several runs on one page: side by side only what was measured alike, and every reason where it was not."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from eval.runs.leaderboard import leaderboard
from eval.runs.results import Run
from eval.runs.two_runs import compare
from eval.specs.profiles import headline_specs
from reports.compare.build import build_comparison
from reports.compare.page import compose, render, run_names
from reports.numbers import number, signed
from reports.publish.summary import load
from weights.errors import HeadshotError


def changed(run: Run, name: str, by: float = 0.05, **record: object) -> Run:
    """Return the run under another name, with the values of one system raised."""
    mine = pc.equal(run.scores["system"], "reference-ft")
    values = pc.if_else(mine, pc.add(run.scores["value"], by), run.scores["value"])
    scores = run.scores.set_column(
        run.scores.column_names.index("value"),
        run.scores.schema.field("value"),
        pa.chunked_array([values.combine_chunks()]),
    )
    return replace(run, folder=Path(name), scores=scores, record=run.record.model_copy(update=record))


@pytest.fixture(scope="module")
def before(run: Run) -> Run:
    return replace(run, folder=Path("somewhere/private/before"))


@pytest.fixture(scope="module")
def after(run: Run) -> Run:
    return changed(
        run, "somewhere/private/after", packages={**run.record.packages, "torch": "9.9.9"}, seeds={"tasks": 7}
    )


@pytest.fixture(scope="module")
def elsewhere(run: Run) -> Run:
    data = run.record.dataset.model_copy(update={"manifest_sha256": "c" * 64, "name": "others"})
    return changed(run, "elsewhere", by=0.1, dataset=data)


def test_the_table_has_the_numbers_of_the_leaderboard(before: Run, after: Run) -> None:
    (side,) = compose([before, after]).sides
    renamed = [replace(run, folder=Path(run.folder.name)) for run in (before, after)]
    metrics = [spec.id for spec in headline_specs(before.record.specs)]
    known = {
        (one.cell.system, one.cell.shots, one.cell.metric): one for one in leaderboard(renamed, metrics=metrics).entries
    }
    shown = 0
    for group, shots in zip(side.groups, (1, 8, 32), strict=True):
        assert {row.key.name for row in group.rows} == {
            "copy-source", "mean-frame", "reference-ft (before)", "reference-ft (after)"
        }  # fmt: skip
        for row in group.rows:
            for cell, head in zip(row.cells, side.columns, strict=True):
                entry = known[row.key.name, shots, head.metric]
                assert cell is not None
                assert cell.value == number(entry.cell.value, head.places)
                assert cell.best_alone == entry.best_alone
                shown += 1
    assert shown == len(known)


def test_what_changed_is_paired_and_systems_with_the_same_values_are_only_named(before: Run, after: Run) -> None:
    ((change,),) = (side.changes for side in compose([before, after]).sides)
    assert set(change.same) == {"copy-source", "mean-frame"}
    assert [(row.system, row.shots) for row in change.rows] == [("reference-ft", shots) for shots in (1, 8, 32)]
    gaps = {(one.gap.shots, one.spec.id): one.gap for one in compare(before, after, pairs=[("reference-ft",) * 2])}
    heads = compose([before, after]).sides[0].columns
    for row in change.rows:
        for cell, head in zip(row.cells, heads, strict=True):
            assert cell is not None
            assert cell.difference == signed(gaps[row.shots, head.metric].value, head.places)


def test_a_run_over_other_data_stands_in_a_table_of_reasons_and_beside_nothing(
    before: Run, after: Run, elsewhere: Run
) -> None:
    page = compose([before, elsewhere, after])
    (side,) = page.sides
    assert side.names == ("before", "after")
    assert [one.what for one in page.refusals] == ["elsewhere"]
    assert "is over the data set others" in page.refusals[0].reason
    html = render(page)
    board = html[html.index('id="systems"') : html.index('id="different"')]
    assert "elsewhere" not in board


def test_runs_of_which_no_two_are_comparable_share_no_number(before: Run, elsewhere: Run) -> None:
    page = compose([before, elsewhere])
    assert not page.comparable
    assert page.headline == "None of these runs can be compared with another one"
    html = render(page)
    assert 'id="systems"' not in html
    assert 'id="changes"' not in html


def test_a_metric_of_another_version_is_left_out_and_the_others_are_compared(before: Run) -> None:
    specs = tuple(
        spec.model_copy(update={"version": spec.version + 1}) if spec.id == "ssim" else spec
        for spec in before.record.specs
    )
    page = compose([before, changed(before, "newer", specs=specs)])
    assert [one.what for one in page.refusals] == ["ssim"]
    assert "is of version" in page.refusals[0].reason
    shown = [column.metric for column in page.sides[0].columns]
    assert "ssim" not in shown
    assert len(shown) == len(headline_specs(before.record.specs)) - 1


def test_what_is_different_is_listed_and_what_is_the_same_is_counted(before: Run, after: Run) -> None:
    page = compose([before, after])
    found = {(kind.title, gap.name): gap.values for kind in page.gaps for gap in kind.gaps}
    assert found == {
        ("Seeds", "tasks"): ("0", "7"),
        ("Seeds", "adaptation"): ("0", "–"),
        ("Software", "torch"): ("2.8.0", "9.9.9"),
    }
    assert page.same > 20
    assert compose([before, replace(before, folder=Path("copy"))]).gaps == ()


def test_a_system_that_is_not_in_a_run_is_different_once_and_not_for_each_of_its_settings(before: Run) -> None:
    fewer = tuple(system for system in before.record.systems if system.name != "reference-ft")
    scores = before.scores.filter(pc.field("system") != "reference-ft")
    page = compose([before, replace(changed(before, "fewer", systems=fewer), scores=scores)])
    found = [(kind.title, gap.name) for kind in page.gaps for gap in kind.gaps]
    assert found == [("Systems", "reference-ft")]


def test_runs_without_a_system_in_common_are_one_table_and_no_change(before: Run) -> None:
    apart = [
        replace(
            changed(
                before, name, systems=tuple(one for one in before.record.systems if (one.name == "mean-frame") == mine)
            ),
            scores=before.scores.filter((pc.field("system") == "mean-frame") == mine),
        )
        for name, mine in (("one", True), ("other", False))
    ]
    (side,) = compose(apart).sides
    assert len(side.groups[0].rows) == 3
    assert side.changes == ()


def test_a_value_that_can_be_measured_in_neither_run_is_no_change(before: Run) -> None:
    nothing = before.scores.set_column(
        before.scores.column_names.index("value"),
        before.scores.schema.field("value"),
        pa.array(np.full(len(before.scores), np.nan)),
    )
    blank = replace(before, scores=nothing)
    (side,) = compose([blank, replace(blank, folder=Path("again"))]).sides
    assert side.changes[0].rows == ()


def test_no_path_of_this_machine_and_no_hostile_name_gets_onto_the_page(
    before: Run, after: Run, elsewhere: Run, hostile: str
) -> None:
    named = replace(after, folder=Path(hostile.replace("/", "")))
    html = render(compose([before, named, elsewhere], {"before": "before/index.html"}))
    assert "private" not in html
    assert "<img" not in html
    assert re.findall(r"<a href=\"(before[^\"]*)\"", html) == ["before/index.html"]


def test_folders_of_one_name_are_told_apart() -> None:
    assert run_names([Path("a/demo"), Path("b/demo"), Path("c/other")]) == ("demo", "demo-2", "other")


def test_the_page_on_disk_has_a_summary_and_one_run_is_refused(run: Run, tmp_path: Path) -> None:
    copy = replace(run, folder=tmp_path / "copy")
    copy.save()
    page = build_comparison([run.folder, copy.folder], tmp_path / "page")
    assert page.comparable
    assert (tmp_path / "page" / "index.html").read_text().startswith("<!doctype html>")
    summary = load(tmp_path / "page")
    assert summary is not None
    assert (summary.kind, summary.people, len(summary.systems)) == ("comparison", 3, 3)
    with pytest.raises(HeadshotError, match="give two or more runs"):
        build_comparison([run.folder], tmp_path / "page")
    with pytest.raises(HeadshotError, match="each of them once"):
        build_comparison([run.folder, run.folder], tmp_path / "page")
