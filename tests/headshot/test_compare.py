"""Scoring again, comparing, ranking and exporting from the command line: what is printed, and exit codes."""

import csv
import io
import re
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eval.rendering import predictions
from eval.runs.results import Run
from headshot.cli import app, main


def go(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(app, [command, *map(str, arguments)])


@pytest.fixture
def worse(place: Path) -> Path:
    """The run again, but mean-frame shows its first frame with more and more of the picture black."""
    other = Path(shutil.copytree(place / "run", place / "worse"))
    run = Run.open(other)
    for number, task in enumerate(run.tasks.tasks):
        frames = predictions.load(other, "mean-frame", task)
        frames[:, : 20 + number] = 0
        predictions.save(other, predictions.header(other, "mean-frame", task), task, frames)
    assert go("score", "--run", other, "--data", place / "data").exit_code == 0
    return other


def test_a_run_is_scored_again_without_its_checkpoint(place: Path) -> None:
    shutil.rmtree(place / "run" / "checkpoint")
    shown = go("score", "--run", place / "run", "--data", place / "data", "--metrics", "psnr")
    assert "Mean over 3 people" in shown.stdout
    assert "PSNR" in shown.stdout
    assert "SSIM" not in shown.stdout
    assert [spec.id for spec in Run.open(place / "run").record.specs] == ["psnr"]


def test_an_equal_run_passes_and_a_worse_one_fails_with_the_reason(place: Path, worse: Path) -> None:
    assert go("compare", place / "run", place / "run", "--fail-if", "worse").exit_code == 0
    assert go("compare", place / "run", worse).exit_code == 0  # nothing was asked
    failed = go("compare", place / "run", worse, "--fail-if", "not-better", "--systems", "mean-frame")
    assert failed.exit_code == 1
    assert re.search(r"mean-frame +8 +psnr ↑.*not separated", failed.stdout)
    assert "failed: mean-frame at 8 shots, psnr: not separated" in failed.stderr


def test_three_people_fail_no_gate_by_a_test_and_it_says_so(place: Path, worse: Path) -> None:
    passed = go("compare", place / "run", worse, "--fail-if", "worse")
    assert passed.exit_code == 0
    assert "no test can separate systems here" in passed.stdout


def test_a_bound_on_the_loss_is_a_gate_of_its_own(place: Path, worse: Path) -> None:
    bound = ("compare", place / "run", worse, "--metrics", "psnr", "--max-loss")
    assert go(*bound, 100).exit_code == 0
    assert go(*bound, 0.1).exit_code == 1
    assert go(*bound, 0.1, "--systems", "copy-source").exit_code == 0
    assert go(*bound, 0.1, "--systems", "copy-source=mean-frame").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-loss", "1"], "--max-loss needs one metric"),
        (["--systems", "beauty"], "beauty to compare"),
        (["--metrics", "beauty"], "no beauty"),
    ],
)
def test_what_cannot_be_compared_is_one_paragraph_and_exit_code_2(
    arguments: list[str],
    message: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["headshot", "compare", str(place / "run"), str(place / "run"), *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capfd.readouterr()
    assert ended.value.code == 2
    assert message in shown.err
    assert shown.out == ""


def test_a_leaderboard_has_the_systems_of_all_runs_and_writes_both_tables(place: Path, worse: Path) -> None:
    shown = go("leaderboard", place / "run", worse, "--csv", place / "a.csv", "--latex", place / "a.tex")
    assert re.search(r"mean-frame \(worse\) +8 ", shown.stdout)
    assert re.search(r"copy-source +8 .*\(\d a\)", shown.stdout)
    rows = list(csv.DictReader(io.StringIO((place / "a.csv").read_text(encoding="utf-8"))))
    assert {row["system"] for row in rows} == {"copy-source", "mean-frame (run)", "mean-frame (worse)"}
    assert "mean-frame (worse) & 8 &" in (place / "a.tex").read_text(encoding="utf-8")


def test_a_run_is_exported_to_standard_output_or_a_file(place: Path) -> None:
    shown = go("export", "--run", place / "run", "--metrics", "psnr").stdout
    assert {row["metric"] for row in csv.DictReader(io.StringIO(shown))} == {"psnr"}
    assert "written: " in go("export", "--run", place / "run", "--format", "latex", "--out", place / "b.tex").stdout
    assert r"\toprule" in (place / "b.tex").read_text(encoding="utf-8")
