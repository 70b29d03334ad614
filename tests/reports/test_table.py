"""The main table and who is ahead in it."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from eval.runs.results import SCORE_SCHEMA, Run
from eval.specs.profiles import SPECS, choose_specs
from eval.statistics.cells import Cell, summarise
from eval.systems.builtin import NAMES
from reports.leads import Comparisons, leads
from reports.legend import legend
from reports.numbers import number
from reports.places import place_rows
from reports.table import MainTable, TableCell, lead_rows, main_table, within_range
from tests.conftest import REPOSITORY

SSIM, LPIPS = SPECS["embedded"][1], SPECS["embedded"][3]


def table_of(scores: pa.Table, specs: tuple = choose_specs("embedded", "headline")) -> MainTable:
    cells = summarise(scores, specs)
    names = dict.fromkeys(cell.system for cell in cells)
    leading = leads(cells, specs, Comparisons(scores, specs))
    return main_table(cells, specs, leading, legend([(name, name) for name in names]))


def scores_of(values: dict[str, dict[str, float]], metric: str = "ssim", shots: int = 8) -> pa.Table:
    """Return one frame for each system and person."""
    rows = [
        {
            "system": system,
            "shots": shots,
            "draw": 0,
            "identity": person,
            "clip": f"{person}/v/c",
            "frame": 0,
            "metric": metric,
            "value": value,
            "status": "no_face" if np.isnan(value) else "ok",
        }
        for system, of_person in values.items()
        for person, value in of_person.items()
    ]
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


PEOPLE = "abcdefgh"


def steady(mean: float, step: float = 0.01) -> dict[str, float]:
    """Return a value for each of eight people, up and down in turn around a mean."""
    return {person: mean + step * (place % 3 - 1) for place, person in enumerate(PEOPLE)}


def cells_by_system(table: MainTable) -> dict[str, TableCell]:
    return {row.key.name: row.cells[0] for row in table.groups[0].rows}


def test_every_printed_number_follows_from_the_score_rows(run: Run) -> None:
    """Recomputed here from the file on disk: frames into people, people into the number."""
    table = table_of(run.scores)
    for column, head in enumerate(table.columns):
        if head.metric.startswith("fd"):
            continue
        for group in table.groups:
            for row in group.rows:
                chosen = (
                    (pc.field("metric") == head.metric)
                    & (pc.field("shots") == group.shots)
                    & (pc.field("system") == row.key.name)
                )
                rows = Run.open(run.folder).scores.filter(chosen)
                worst = next(spec.worst for spec in run.record.specs if spec.id == head.metric)
                values = np.array([worst if np.isnan(value) else value for value in rows["value"].to_pylist()])
                people = np.array(rows["identity"].to_pylist())
                mean = np.mean([values[people == person].mean() for person in sorted(set(people))])
                assert row.cells[column].value == number(mean, head.places)


def test_a_clear_winner_is_bold_and_nobody_else() -> None:
    scores = scores_of({"one": steady(0.81), "two": steady(0.61, -0.01)})
    cells = cells_by_system(table_of(scores, (SSIM,)))
    assert cells["one"].separated
    assert not cells["two"].separated


def test_direction_decides_who_wins() -> None:
    values = {"one": steady(0.81), "two": steady(0.61, -0.01)}
    cells = cells_by_system(table_of(scores_of(values, "lpips.alex"), (LPIPS,)))
    assert cells["two"].separated
    assert not cells["one"].separated


def test_nothing_is_bold_where_the_paired_difference_may_be_zero() -> None:
    scores = scores_of({"one": steady(0.70, 0.2), "two": steady(0.65, -0.1)})
    assert not any(cell.separated for cell in cells_by_system(table_of(scores, (SSIM,))).values())


def test_overlapping_intervals_do_not_hide_a_clear_paired_difference() -> None:
    """People differ by far more than systems do, and every person says the same."""
    one = {person: 0.1 + 0.1 * place for place, person in enumerate(PEOPLE)}
    two = {person: value - steady(0.05)[person] for person, value in one.items()}
    scores = scores_of({"one": one, "two": two})
    assert cells_by_system(table_of(scores, (SSIM,)))["one"].separated


def test_equal_systems_are_both_plain() -> None:
    same = steady(0.75)
    cells = cells_by_system(table_of(scores_of({"one": same, "two": same, "three": steady(0.1)}), (SSIM,)))
    assert not any(cell.separated for cell in cells.values())


def test_the_comparison_behind_each_bold_number_is_printed() -> None:
    scores = scores_of({"one": steady(0.81), "two": dict.fromkeys(PEOPLE, 0.61)})
    table, cells = table_of(scores, (SSIM,)), summarise(scores, (SSIM,))
    (row,) = lead_rows(leads(cells, (SSIM,), Comparisons(scores, (SSIM,))), table.columns)
    assert (row.leader, row.runner_up, row.difference, row.verdict) == ("one", "two", "+0.199", "separated")
    assert row.interval == "0.192 to 0.206", "0.19875 with Student's t of 2.365 times 0.00835 / sqrt(8)"
    assert (row.p, row.share) == ("0.008", "100%"), "2 of the 2^8 patterns of signs"
    assert row.detectable == "0.010", "a paired t test finds 1.16 standard deviations of eight people"


def test_everybody_who_is_not_separated_from_the_first_is_listed() -> None:
    values = {"one": steady(0.81), "two": steady(0.80, -0.02), "three": steady(0.79, -0.03), "four": steady(0.2)}
    scores = scores_of(values)
    comparisons, cells = Comparisons(scores, (SSIM,)), summarise(scores, (SSIM,))
    rows = lead_rows(leads(cells, (SSIM,), comparisons), table_of(scores, (SSIM,)).columns)
    assert [(row.leader, row.runner_up, row.verdict) for row in rows] == [
        ("one", "two", "could be chance"),
        ("one", "three", "could be chance"),
    ]


def test_places_have_intervals_and_groups() -> None:
    scores = scores_of({"one": steady(0.81), "two": steady(0.80, -0.02), "four": steady(0.2)})
    (row,) = place_rows(Comparisons(scores, (SSIM,)).statistics.rankings, table_of(scores, (SSIM,)).columns)
    assert [(place.system, place.interval, place.groups) for place in row.places] == [
        ("one", "1 to 2", "a"),
        ("two", "1 to 2", "a"),
        ("four", "3", "b"),
    ]


def test_one_person_gives_a_value_without_interval_or_winner() -> None:
    cells = cells_by_system(table_of(scores_of({"one": {"a": 0.8}, "two": {"a": 0.3}}), (SSIM,)))
    assert (cells["one"].value, cells["one"].interval, cells["one"].separated) == ("0.800", "–", False)


def test_failures_are_counted_and_shown_with_the_value_without_them() -> None:
    nan = float("nan")
    scores = scores_of({"one": {"a": 0.8, "b": 0.6, "c": nan}, "two": {"a": 0.5, "b": 0.5, "c": 0.5}})
    cell = cells_by_system(table_of(scores, (SSIM,)))["one"]
    assert cell.value == "0.467"
    assert cell.failures == "1 of 3 failed; 0.700 without them"


def test_a_system_that_was_not_run_at_some_shots_says_so() -> None:
    few, many = scores_of({"one": {"a": 0.8}, "two": {"a": 0.5}}), scores_of({"one": {"a": 0.9}}, shots=32)
    group = table_of(pa.concat_tables([few, many]), (SSIM,)).groups[1]
    assert [row.cells[0].value for row in group.rows] == ["0.900", "not run"]


def test_the_unreliable_frechet_distance_is_marked_and_explained(run: Run) -> None:
    table = table_of(run.scores)
    assert {row.cells[0].mark for group in table.groups for row in group.rows} == {"†"}
    assert [mark for mark, _ in table.notes] == ["†"]


def test_people_and_frames_behind_the_numbers_are_stated(run: Run) -> None:
    assert [group.sample for group in table_of(run.scores).groups] == ["3 people, 48 frames a system"] * 3


def test_intervals_end_where_the_range_of_the_metric_does() -> None:
    cell = Cell(
        system="one",
        shots=1,
        metric="lpips.alex",
        value=0.1,
        low=-0.3,
        high=0.5,
        n_identities=3,
        n_frames=3,
        n_failed=0,
        value_measured_only=0.1,
    )
    assert within_range([cell], [LPIPS])[0] == replace(cell, low=0.0)
    unknown = replace(cell, low=float("nan"), high=float("nan"))
    assert within_range([unknown], [LPIPS])[0] is unknown


def test_looks_do_not_repeat_among_the_systems_that_are_built_in() -> None:
    keys = legend([(name, "") for name in NAMES]).values()
    assert len({key.marker for key in keys}) == len({key.dash for key in keys}) == len(keys)
    style = (REPOSITORY / "reports" / "templates" / "style.css").read_text(encoding="utf-8")
    for scheme in zip(*(re.findall(rf"--s{key.place}: (#\w+)", style) for key in keys), strict=True):
        assert len(set(scheme)) == len(keys), "light, dark and print have a colour for each"


def test_beyond_the_colours_looks_still_differ() -> None:
    keys = legend([(f"system-{number}", "") for number in range(60)]).values()
    assert len({(key.place, key.marker, key.dash) for key in keys}) == 60


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("copy-source", ""),
        ("mean-frame", ""),
        ("warp-nearest-2x", "Altered"),
        ("x2face-compact", "AI-generated"),
        ("anything-else", "AI-generated"),
    ],
)
def test_whatever_is_no_known_copy_is_marked(name: str, mark: str) -> None:
    assert legend([(name, "")])[name].mark == mark
