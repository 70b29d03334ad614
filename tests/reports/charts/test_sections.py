"""The figures in their page: inert, complete, light."""

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from eval.runs.results import Run
from pipeline.store import Store
from reports import page as report
from reports.answer import answer_section
from reports.charts.records import agreement_records, identity_records
from reports.findings import Findings, findings
from reports.media import Media
from reports.results_file import results_file
from tests.reports.charts.study import NAMES, made_up
from tests.reports.test_results_file import agrees

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


class FigureTables(HTMLParser):
    """Collects the tables beside figures: their attributes, and the texts of every row, cell by cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str], list[list[list[str]]]]] = []
        self._cells: list[list[str]] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            attributes = {name: value or "" for name, value in attrs}
            self._cells = [] if "data-figure" in attributes else None
            self.found += [(attributes, [])] if self._cells is not None else []
        elif tag == "tr" and self._cells is not None:
            self._cells = []
            self.found[-1][1].append(self._cells)
        elif tag in ("th", "td") and self._cells is not None:
            self._cells.append([])

    def handle_data(self, data: str) -> None:
        if self._cells and data.strip():
            self._cells[-1].append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._cells = None

    def of(self, figure: str) -> list[tuple[dict[str, str], list[list[str]], list[list[list[str]]]]]:
        """Return attributes, head and rows of the tables beside a kind of figure."""
        return [(about, rows[0], rows[1:]) for about, rows in self.found if about["data-figure"] == figure]


def test_every_number_beside_a_figure_is_that_of_the_results_file(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = findings(made_up(run, people=12, shots=(1, 8)), store, Media())
    results = json.loads(results_file(found, answer_section(found)).model_dump_json())
    tables = FigureTables(figures(found, monkeypatch))
    cells = {(one["metric"], one["system"]): one for one in results["cells"] if one["shots"] == 8}

    pairs = {
        (one["metric"], one["system"], one["baseline"]): one for one in results["comparisons"] if one["shots"] == 8
    }
    for about, _, rows in tables.of("differences"):
        for (system,), (value, ends), (p,), (detectable,), (verdict,) in rows:
            one = pairs.get((about["data-metric"], system, about["data-baseline"]))
            turned = one is None
            one = one or pairs[about["data-metric"], about["data-baseline"], system]
            sign, opposite = (-1, {"better": "worse", "worse": "better"}) if turned else (1, {})
            assert agrees(value, sign * one["value"])
            assert all(map(agrees, ends.split(" to "), sorted((sign * one["low"], sign * one["high"]))))
            assert p == "< 0.001" if one["p_holm"] < 0.001 else agrees(p, one["p_holm"])
            assert agrees(detectable, one["detectable"])
            assert verdict == opposite.get(one["verdict"], one["verdict"])

    ranks = {(one["metric"], one["system"]): one for one in results["ranks"] if one["shots"] == 8}
    for about, _, rows in tables.of("ranks"):
        for (system,), (place,), (ends,), (first,), (value,), (groups,) in rows:
            one = ranks[about["data-metric"], system]
            assert (int(place), groups) == (one["place"], one["groups"])
            assert [int(end) for end in ends.split(" to ")] == sorted({one["low"], one["high"]})
            assert agrees(first.rstrip("%"), 100 * one["first"])
            assert agrees(value, cells[about["data-metric"], system]["value"])

    titles = {one["title"]: one["id"] for one in results["metrics"]}
    people = {(one["metric"], one["identity"]): one for one in results["people"]}
    for about, head, rows in tables.of("people"):
        assert len(rows) == 12
        for (identity,), *values in rows:
            for (title,), (value,) in zip(head[1:], values, strict=True):
                if about["data-metric"]:
                    assert agrees(value, people[about["data-metric"], identity]["values"][title])
                else:
                    assert agrees(value, people[titles[title], identity]["mean"])

    costs = {one["system"]: one for one in results["costs"] if one["shots"] == 8}
    for about, _, rows in tables.of("costs"):
        for (system,), (value, _), _, (speed,) in rows:
            assert agrees(value, cells[about["data-metric"], system]["value"])
            assert agrees(speed, costs[system]["frames_per_s"] if system in costs else None)

    taus = {(one["metric"], one["other"]): one for one in results["agreement"]}
    short = {title.partition(" (")[0]: metric for title, metric in titles.items() if "@" not in metric}
    ((_, _, rows),) = tables.of("agreement")
    assert len(rows) == len(taus)
    for (names,), (tau, ends), (alike,), (count,) in rows:
        pair = [short[name] for name in names.split(", ")]
        one = taus.get((pair[0], pair[1])) or taus[pair[1], pair[0]]
        assert agrees(tau, one["tau"])
        assert all(map(agrees, ends.split(" to "), (one["low"], one["high"])))
        assert agrees(alike.rstrip("%"), 50 * (1 + one["tau"]))
        assert int(count) == one["results"]
    assert all(tables.of(kind) for kind in ("differences", "ranks", "people", "costs"))


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
