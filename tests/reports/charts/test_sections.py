"""The figures in their page: inert, complete, light."""

import re
from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from eval.runs.results import Run
from pipeline.store import Store
from reports import page as report
from reports.charts.records import agreement_records, identity_records
from reports.findings import Findings, findings
from reports.media import Media
from tests.reports.charts.study import NAMES, made_up

FIGURES = ("shots", "differences", "ranks", "identities", "agreement", "tradeoffs")


def figures(found: Findings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a page of nothing but figures."""
    monkeypatch.setattr(report, "SECTIONS", [one for one in report.SECTIONS if one.anchor in FIGURES])
    return report.render(report.compose(found))


def renamed(run: Run, old: str, new: str) -> Run:
    """Return a run in which a person has another name."""
    columns = {
        name: pc.replace_substring(run.scores[name], old, new) if name in ("identity", "clip") else run.scores[name]
        for name in run.scores.column_names
    }
    return replace(run, scores=pa.table(columns, schema=run.scores.schema))


@pytest.fixture
def html(run: Run, store: Store, hostile: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Figures of a run in which a system and a person have hostile names."""
    small = made_up(run, systems=(*NAMES[:5], hostile), people=4, shots=(1, 8))
    return figures(findings(renamed(small, "person-02", hostile), store, Media()), monkeypatch)


def test_hostile_names_of_systems_and_people_are_text_in_drawings_and_tables(html: str, hostile: str) -> None:
    assert hostile not in html
    assert "<img src=x" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") > 30


def test_every_drawing_has_a_name_a_description_and_a_table(html: str) -> None:
    drawings = re.findall(r'<svg class="(?:chart|heat)".*?</svg>', html, re.S)
    assert len(drawings) == 5 + 5 + 5 + 5 + (1 + 5) + 1 + 2 * 5
    for drawing in drawings:
        name, about = re.search(r'role="img" aria-labelledby="([\w-]+)" aria-describedby="([\w-]+)">', drawing).groups()
        assert re.search(rf'<title id="{name}">[^<]+</title>', drawing)
        assert re.search(rf'<desc id="{about}">[^<]+</desc>', drawing)
    assert html.count("<table") == 5 + 5 + 5 + 5 + (1 + 5) + 1 + 5


def test_no_two_parts_of_the_page_have_one_id_and_no_style_is_inline(html: str) -> None:
    assert max(Counter(re.findall(r' id="([^"]+)"', html)).values()) == 1
    assert " style=" not in html


def test_a_value_in_a_map_is_the_one_in_its_table(html: str) -> None:
    maps = re.findall(r'<svg class="heat".*?</svg>', html, re.S)[:6]
    tables = re.findall(r'<details class="repeated">.*?</table>', html, re.S)
    for drawn, table in zip(maps, tables, strict=True):
        assert re.findall(r'<tspan x="[\d.]+"(?: class="strong")?>([^<]+)<', drawn) == re.findall(
            r"<td>([^<]+)<", table
        )


def test_figures_of_fifty_people_ten_systems_and_six_shots_are_light(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = made_up(run, systems=(*NAMES, "own-c", "own-d"), people=50, shots=(1, 2, 4, 8, 16, 32), step=0.01)
    sizes = {
        part.split('"')[0]: len(part.encode())
        for part in figures(findings(large, store, Media()), monkeypatch).split('<section id="')[1:]
    }
    assert sum(sizes.values()) < 800_000
    assert sizes["identities"] < 300_000


def test_what_the_figures_add_is_recorded_for_other_programs(run: Run, store: Store) -> None:
    found = findings(made_up(run, people=5), store, Media())
    people, pairs = identity_records(found), agreement_records(found)
    assert len(people) == 5 * 5
    assert people[0].identity == "person-00"
    scores = found.run.scores.to_pylist()
    for one in people:
        for system, value in one.values.items():
            (row,) = [
                row
                for row in scores
                if (row["system"], row["metric"], row["identity"]) == (system, one.metric, one.identity)
            ]
            assert value == pytest.approx(row["value"])
    assert len(pairs) == 10
    assert {one.identities for one in pairs} == {5}
    alone = findings(made_up(run, people=1), store, Media())
    assert {(one.low, one.high) for one in agreement_records(alone)} == {(None, None)}
    assert {one.hardness for one in identity_records(alone)} == {None}
