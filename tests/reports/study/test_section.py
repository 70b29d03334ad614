"""What the report says of a study: a column, a section, and the same numbers for other programs."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.runs.results import Run
from eval.study.key import StudyKey
from eval.study.record import StudyRecord
from eval.study.scoring import score_study
from pipeline.store import Store
from reports.downloads import downloads
from reports.findings import Findings, findings
from reports.media import Media
from reports.page import compose, render
from reports.study.column import user_cells, with_user


@pytest.fixture(scope="module")
def judged(run: Run, study: tuple[Path, StudyKey], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the run, with a study of nine raters who are right in three sets of five."""
    folder = tmp_path_factory.mktemp("judged") / "run"
    shutil.copytree(run.folder, folder)
    rng, key = np.random.default_rng(0), study[1]
    files = []
    for number in range(9):
        asked = key.of_form(1 + number % 3)
        answers = [
            {
                "trial": one.id,
                "response": one.answer if one.catch or rng.random() < 0.6 else (one.answer + 1) % 3,
                "rt_ms": 800,
            }
            for one in asked
        ]
        content = {"schema_version": 1, "study": key.study, "form": asked[0].form, "rater": f"r{number}"}
        files.append(folder.parent / f"{number}.json")
        files[-1].write_text(json.dumps({**content, "answers": answers}))
    score_study(key, files).save(folder)
    return replace(run, folder=folder)


@pytest.fixture(scope="module")
def found(judged: Run, store: Store) -> Findings:
    return findings(judged, store, Media(), most_pictures=1)


def test_a_run_that_nobody_judged_has_no_column_and_no_section(run: Run, store: Store) -> None:
    found = findings(run, store, Media(), most_pictures=1)
    assert found.study is None
    assert with_user(found.table, None) is found.table
    assert "user" not in [section.anchor for section in compose(found).sections]


def test_the_column_has_the_numbers_of_the_study(found: Findings) -> None:
    table = with_user(found.table, found.study)
    assert [one.metric for one in table.columns[:-1]] == [one.metric for one in found.table.columns]
    assert table.columns[-1].metric == "user.3afc"
    scores = {(one.system, one.shots): one for one in found.study.scores}
    assert set(scores) == {("reference-ft", 1), ("reference-ft", 8), ("reference-ft", 32)}
    for group in table.groups:
        for row in group.rows:
            score = scores.get((row.key.name, group.shots))
            assert float(row.cells[-1].full or "nan") == pytest.approx(score.value if score else np.nan, nan_ok=True)
            assert not row.cells[-1].separated


def test_every_number_of_the_column_has_its_cell_for_other_programs(found: Findings) -> None:
    cells = {(one.system, one.shots): one for one in user_cells(found.study)}
    for score in found.study.scores:
        cell = cells[score.system, score.shots]
        assert (cell.value, cell.low, cell.high) == (score.value, score.interval.low, score.interval.high)
        assert (cell.n_identities, cell.n_frames) == (3, score.trials)


def test_every_number_of_column_and_section_is_that_of_results_json(found: Findings) -> None:
    page, results = render(compose(found)), json.loads(downloads(found)["results.json"])
    cells = {one["key"]: one for one in results["cells"] if one["metric"] == "user.3afc"}
    judged = {f"{one['shots']}:{one['system']}": one for one in results["judged"]}
    shown = dict(re.findall(r'data-cell="(all:\d+:user[^"]*)" data-value="([^"]*)"', page))
    assert set(shown) == set(cells) and len(cells) == len(judged) == 3
    for key, value in shown.items():
        assert (
            float(value) == cells[key]["value"] == judged[key.removeprefix("all:").replace("user.3afc:", "")]["value"]
        )
    rows = re.findall(r'<tr data-judged="([^"]*)">(.*?)</tr>', page, re.S)
    assert {name for name, _ in rows} == set(judged)
    for name, row in rows:
        one = judged[name]
        assert f'<td class="number">{one["correct"]} of {one["trials"]}</td>' in row
        assert f"{one['value']:.0%}<span" in row
        assert f"{one['interval']['low']:.0%} to {one['interval']['high']:.0%}" in row
        assert f"{one['d_prime']:.2f}".replace("-", "\N{MINUS SIGN}") in row
        assert one["verdict"] in row


def test_the_page_says_who_counts_and_links_the_definition(found: Findings) -> None:
    page = render(compose(found))
    section = page.split('<section id="user"')[1].split("</section>")[0]
    assert section.count("data-judged") == 3
    assert "Of 9 files handed in, 9 count." in section
    assert "Of 1 person both real frames are of one recording" in section
    (number,) = re.findall(r'href="#metric-(\d+)">USER</a>', page)
    article = page.split(f'id="metric-{number}"')[1].split("</article>")[0]
    assert "user.3afc@1" in article
    assert "r0" not in section


def test_a_study_of_other_pictures_is_not_shown(judged: Run, store: Store) -> None:
    systems = [one.model_copy(update={"config": {"steps": 41}}) for one in judged.record.systems]
    changed = replace(judged, record=judged.record.model_copy(update={"systems": tuple(systems)}))
    assert findings(changed, store, Media(), most_pictures=1).study is None


def test_rows_are_in_the_order_of_the_run(judged: Run) -> None:
    study = StudyRecord.of(judged.folder, judged.record)
    assert [one.shots for one in study.scores] == [1, 8, 32]
