"""Every number of the page is that of results.json, and follows from the score rows: recomputed here in plain numpy."""

import itertools
import json
import math
import re
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from scipy.stats import t as student

from eval.runs.results import Run
from pipeline.store import Store
from reports.downloads import downloads
from reports.findings import findings
from reports.media import Media
from reports.page import compose, render, render_more
from reports.results_file import SCHEMA_FILE, schema

REPOSITORY = Path(__file__).parents[2]
HOOKS = ("data-cell", "data-rank", "data-cost", "data-stratum", "data-count", "data-comparison")
Rows = dict[tuple[str, int, str], list[dict]]
VOID = {"meta", "link", "img", "br", "path", "line", "rect", "polyline", "polygon", "circle", "col"}


class Numbers(HTMLParser):
    """Collects the texts inside every element that names its number, and of cells of number tables that do not."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.named: dict[str, list[tuple[dict[str, str], list[str]]]] = defaultdict(list)
        self.unnamed: list[str] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_data(self, data: str) -> None:
        if data.strip():
            for _, _, texts in self._open:
                texts.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, attributes, texts = self._open.pop()
            found = [hook for hook in HOOKS if hook in attributes]
            for hook in found:
                self.named[hook].append((attributes, texts))
            if name == "td" and not found and any(re.search(r"\d", text) for text in texts) and self._inside_numbers():
                self.unnamed.append(" ".join(texts))
            if name == tag:
                break

    def _inside_numbers(self) -> bool:
        """Return whether this is in a table of numbers; those beside a figure are held by the tests of figures."""
        return any(
            name == "table" and "numbers" in attributes.get("class", "") and "data-figure" not in attributes
            for name, attributes, _ in self._open
        )


@pytest.fixture(scope="module")
def page_and_file(run: Run, store: Store) -> tuple[str, dict]:
    found = findings(run, store, Media())
    files = downloads(found)
    page = compose(found)
    return render(page) + (render_more(page) or ""), json.loads(files["results.json"])


@pytest.fixture(scope="module")
def shown(page_and_file: tuple[str, dict]) -> Numbers:
    return Numbers(page_and_file[0])


@pytest.fixture(scope="module")
def results(page_and_file: tuple[str, dict]) -> dict:
    return page_and_file[1]


def read(text: str) -> float:
    """Return a printed number; NaN for a dash."""
    return math.nan if text == "–" else float(text.replace("−", "-").replace(",", "").replace("+", ""))


def agrees(text: str, value: float | None) -> bool:
    """Return whether a printed number is the value, rounded to the digits it is printed with."""
    if value is None:
        return text == "–"
    digits = len(text.partition(".")[2])
    return abs(read(text) - value) <= 0.5 * 10**-digits + 1e-9


# The page and the file


def test_every_number_of_the_tables_is_that_of_the_file(shown: Numbers, results: dict) -> None:
    cells = {cell["key"]: cell for cell in results["cells"]}
    assert len(cells) == len(results["cells"])
    assert {attributes["data-cell"] for attributes, _ in shown.named["data-cell"]} == set(cells)
    for attributes, texts in shown.named["data-cell"]:
        cell, parts = cells[attributes["data-cell"]], [text for text in texts if text not in "†‡"]
        assert attributes["data-value"] == ("" if cell["value"] is None else repr(cell["value"]))
        assert agrees(parts[0], cell["value"])
        ends = parts[1].split(" to ")
        assert agrees(ends[0], cell["low"])
        assert agrees(ends[-1], cell["high"])
        if cell["failed"]:
            failed, of, rest = re.match(r"(\d+) of (\d+) failed; (\S+) without", parts[2]).groups()
            assert (int(failed), int(of)) == (cell["failed"], cell["frames"])
            assert agrees(rest, cell["value_measured_only"])


def test_no_cell_of_a_table_of_numbers_is_without_a_name(shown: Numbers) -> None:
    assert shown.unnamed == []


def test_bold_is_what_the_file_calls_separated(page_and_file: tuple[str, dict]) -> None:
    html, results = page_and_file
    bold = set(re.findall(r'data-cell="([^"]+)"[^>]*><span class="value"><strong>', html))
    assert bold == {cell["key"] for cell in results["cells"] if cell["separated"]}


def test_comparisons_ranks_costs_and_strata_are_those_of_the_file(shown: Numbers, results: dict) -> None:
    pairs = {(one["shots"], one["metric"], one["system"], one["baseline"]): one for one in results["comparisons"]}
    for attributes, texts in shown.named["data-comparison"]:
        metric, system, baseline = (attributes[f"data-{name}"] for name in ("metric", "system", "baseline"))
        shots, sign = int(attributes["data-shots"]), 1
        one = pairs.get((shots, metric, system, baseline))
        if one is None:
            one, sign = pairs[shots, metric, baseline, system], -1
        assert agrees(texts[4], sign * one["value"])
        ends = (one["low"], one["high"]) if sign > 0 else (-one["high"], -one["low"])
        assert all(map(agrees, texts[5].split(" to "), ends))
        assert texts[6] == "< 0.001" if one["p_holm"] < 0.001 else agrees(texts[6], one["p_holm"])
        better = one["superiority"] if sign > 0 or one["superiority"] is None else 1 - one["superiority"]
        assert agrees(texts[7].rstrip("%"), None if better is None else 100 * better)
        assert texts[8] == "none" if one["detectable"] is None else agrees(texts[8], one["detectable"])
    assert shown.named["data-comparison"]
    ranks = {f"{one['shots']}:{one['metric']}:{one['system']}": one for one in results["ranks"]}
    assert {attributes["data-rank"] for attributes, _ in shown.named["data-rank"]} == set(ranks)
    for attributes, texts in shown.named["data-rank"]:
        one = ranks[attributes["data-rank"]]
        places = f"{one['low']}" if one["low"] == one["high"] else f"{one['low']} to {one['high']}"
        assert texts[0].rstrip(";") == f"({places}, {one['groups']})"
    costs = {(str(one["shots"]), one["system"]): one for one in results["costs"]}
    for attributes, texts in shown.named["data-cost"]:
        field, shots, system = attributes["data-cost"].split(":", 2)
        value = costs[shots, system][field]
        amount, _, unit = texts[0].partition(" ")
        assert value is None or agrees(amount, value * {"ms": 1e3, "M": 1e-6}.get(unit, 1))
    strata = {one["stratum"]: one for one in results["strata"]}
    for attributes, texts in shown.named["data-stratum"]:
        field, stratum = attributes["data-stratum"].split(":")
        assert int(texts[0]) == strata[stratum][field]


def test_every_decimal_number_of_the_answer_is_in_the_file(results: dict) -> None:
    known = [cell["value"] for cell in results["cells"]]
    known += [one[name] for one in (*results["comparisons"], *results["gains"]) for name in ("value", "low", "high")]
    printed = re.findall(r"(?<![\w.])\d+\.\d+", " ".join(results["answer"]))
    assert printed
    for text in printed:
        assert any(agrees(text, abs(value)) for value in known if value is not None)


def test_the_page_says_on_whom_and_how_much_as_the_file_does(page_and_file: tuple[str, dict]) -> None:
    html, results = page_and_file
    tested = results["test"]
    assert f"{tested['people']}, in {tested['clips']} clips; {tested['frames']} frames to draw" in html
    assert f"frames of each of {tested['people']} people it had never met" in " ".join(results["answer"])
    assert all(" ".join(text.split()) in " ".join(html.split()) for text in results["test"]["caveats"])


def test_the_file_is_what_its_published_schema_says(results: dict) -> None:
    published = (REPOSITORY / "docs" / "schemas" / SCHEMA_FILE).read_text(encoding="utf-8")
    assert published == schema(), "run `python -m reports.results_file docs/schemas`"
    jsonschema.validate(results, json.loads(published))


# The file and the score rows


@pytest.fixture(scope="module")
def rows(run: Run) -> Rows:
    found: Rows = defaultdict(list)
    for row in run.scores.to_pylist():
        found[row["system"], row["shots"], row["metric"]].append(row)
    return found


def rows_of(rows: Rows, cell: dict) -> list[dict]:
    return [
        row
        for row in rows[cell["system"], cell["shots"], cell["metric"]]
        if (
            cell["stratum"] in (None, row["stratum"])
            if row["frame"] >= 0
            else row["stratum"] == (cell["stratum"] or "")
        )
    ]


def person_means(rows: list[dict], spec: dict) -> dict[str, float]:
    """Return each person's mean of the means of their clips; failures count as the worst there is."""
    frames: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row["frame"] >= 0 and not row["status"].startswith("target_"):
            bound = max if spec["higher_is_better"] else min
            value = spec["worst"] if row["status"] != "ok" else bound(row["value"], spec["worst"])
            frames[row["identity"], row["clip"]].append(value)
    clips: dict[str, list[float]] = defaultdict(list)
    for (identity, _), values in frames.items():
        clips[identity].append(sum(values) / len(values))
    return {identity: sum(values) / len(values) for identity, values in clips.items()}


def interval(value: float, error: float, people: int, spec: dict) -> tuple[float, float]:
    half = student.ppf(0.975, people - 1) * error
    low, high = (end if end is not None else edge for end, edge in zip(spec["range"], (-np.inf, np.inf), strict=True))
    return max(low, value - half), min(high, value + half)


def expected(own: list[dict], spec: dict, people: int) -> tuple[float | None, float | None]:
    """Return the value of a cell and its standard error, from its rows."""
    if spec["level"] == "frame":
        means = list(person_means(own, spec).values())
        return float(np.mean(means)), float(np.std(means, ddof=1) / np.sqrt(people)) if people > 1 else None
    value = next((row["value"] for row in own if row["status"] in ("ok", "unreliable")), None)
    without = np.array([row["value"] for row in own if row["status"] == "leave-one-out"])
    if value is None or people < 2:
        return value, None
    return value, float(np.sqrt((people - 1) / people * np.sum((without - without.mean()) ** 2)))


def test_every_cell_follows_from_the_score_rows(rows: Rows, results: dict) -> None:
    specs = {spec["id"]: spec for spec in results["metrics"]}
    for cell in results["cells"]:
        spec, own = specs[cell["metric"]], rows_of(rows, cell)
        frames = [row for row in own if row["frame"] >= 0 and not row["status"].startswith("target_")]
        people = len({row["identity"] for row in frames})
        value, error = expected(own, spec, people)
        assert cell["value"] == (None if value is None else pytest.approx(value))
        assert cell["identities"] == people
        assert cell["frames"] == len(frames)
        assert cell["failed"] == sum(row["status"] not in ("ok", "member") for row in frames)
        if error is None:
            assert cell["low"] is cell["high"] is None
        else:
            assert (cell["low"], cell["high"]) == pytest.approx(interval(value, error, people, spec))
    assert {specs[cell["metric"]]["level"] for cell in results["cells"] if cell["value"]} == {"frame", "set"}


def test_every_comparison_of_frames_follows_from_the_score_rows(rows: Rows, results: dict) -> None:
    specs = {spec["id"]: spec for spec in results["metrics"]}
    means = {
        (cell["system"], cell["shots"], cell["metric"]): person_means(rows_of(rows, cell), specs[cell["metric"]])
        for cell in results["cells"]
        if cell["stratum"] is None and specs[cell["metric"]]["level"] == "frame"
    }
    by_metric: dict[str, list[dict]] = defaultdict(list)
    for one in results["comparisons"]:
        if specs[one["metric"]]["level"] == "frame":
            by_metric[one["metric"]].append(one)
    for metric, found in by_metric.items():
        p_values = []
        for one in found:
            own, other = (means[one[name], one["shots"], metric] for name in ("system", "baseline"))
            gaps = np.array([own[person] - other[person] for person in sorted(own)])
            assert one["value"] == pytest.approx(gaps.mean())
            half = student.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps))
            assert (one["low"], one["high"]) == pytest.approx((gaps.mean() - half, gaps.mean() + half))
            flips = [abs(np.dot(signs, gaps)) for signs in itertools.product((1, -1), repeat=len(gaps))]
            p_values.append(np.mean([flip >= abs(gaps.sum()) * (1 - 1e-9) for flip in flips]))
            assert one["p"] == pytest.approx(p_values[-1])
        worst = 0.0
        for place, at in enumerate(np.argsort(p_values, kind="stable")):
            worst = max(worst, min(1.0, (len(p_values) - place) * p_values[at]))
            assert found[at]["p_holm"] == pytest.approx(worst)


def test_the_best_value_has_the_first_place(results: dict) -> None:
    specs = {spec["id"]: spec for spec in results["metrics"]}
    values = {
        (cell["metric"], cell["shots"], cell["system"]): cell["value"]
        for cell in results["cells"]
        if cell["stratum"] is None
    }
    for one in results["ranks"]:
        own = values[one["metric"], one["shots"], one["system"]]
        others = [value for key, value in values.items() if key[:2] == (one["metric"], one["shots"])]
        better = (np.greater if specs[one["metric"]]["higher_is_better"] else np.less)(others, own)
        assert one["place"] == 1 + better.sum()
        assert one["low"] <= one["place"] <= one["high"]
