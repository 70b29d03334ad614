"""`headshot study` as people call it: plan, refuse, score, and a USER column in the leaderboard."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.runs.results import Run
from eval.study.key import StudyKey
from eval.study.record import StudyRecord
from headshot.cli import app
from reports.study.jspsych import JsPsych


def test_the_plan_has_the_published_figures_and_says_when_raters_do_not_help() -> None:
    shown = CliRunner().invoke(app, ["study", "plan", "--people", "10", "--systems", "4"]).stdout
    row = next(line.split() for line in shown.splitlines() if line.startswith("0.40"))
    assert row[1:3] == ["318", "402"]
    assert "show more people" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study", "plan", "--people", "5", "--systems", "2", "--trials", "36"], "10 sets at most"),
        (["study", "build", "nowhere"], "nowhere"),
        (["study", "score", "x.json", "--run", "nowhere"], "nowhere"),
    ],
)
def test_a_users_mistake_is_one_paragraph(
    arguments: list[str], message: str, refusal: Callable[[list[str]], str], tmp_path: Path
) -> None:
    assert message in refusal(arguments)


def test_a_study_is_built_scored_and_shown(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.study.jspsych.fetch_jspsych", lambda _: JsPsych(script="", style=""))
    run, study, answers = place / "run", place / "study", place / "answers"
    answers.mkdir()

    def call(*arguments: str | Path) -> str:
        result = CliRunner().invoke(app, ["study", *map(str, arguments)], catch_exceptions=False)
        assert result.exit_code == 0
        return " ".join(result.stdout.split())

    said = call("build", run, "--data", place / "data", "-o", study, "--systems", "mean-frame", "--forms", "4")
    assert "4 forms of 3 sets and 5 obvious ones" in said
    assert "real frames of one recording, for want of another, of 3 of 3 people" in said
    key = StudyKey.load(study)
    for form in range(1, 5):
        given = [{"trial": one.id, "response": one.answer, "rt_ms": 700} for one in key.of_form(form)]
        content = {"schema_version": 1, "study": key.study, "form": form, "rater": f"r{form}", "answers": given}
        (answers / f"{form}.json").write_text(json.dumps(content))
    (answers / "broken.json").write_text("{")

    said = call("score", answers, "--key", study, "--run", run)

    assert "4 raters count" in said
    assert "not separated from guessing" in said, "so few answers show nothing, even where all are right"
    record = StudyRecord.of(run, Run.open(run).record)
    assert {(one.system, one.shots, one.value) for one in record.scores} == {
        ("mean-frame", 1, 1.0),
        ("mean-frame", 8, 1.0),
    }
    board = CliRunner().invoke(app, ["leaderboard", str(run)]).stdout
    assert "USER" in board
    assert "1.000" in next(line for line in board.splitlines() if line.startswith("mean-frame"))
