"""Anybody's model from the command line: checked, run beside the others, or answered elsewhere."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.runs.results import Run
from eval.specs.image import PSNR, SSIM
from eval.specs.profiles import SPECS
from headshot.cli import main
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples" / "systems"


def headshot(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    """Run a command line and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["headshot", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_check_system_passes_the_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"{sys.executable} nearest_frame.py"
    assert headshot(monkeypatch, "check-system", command, "--working-dir", EXAMPLES, "--size", "64") == 0
    assert "9 of 9 frames of 2 tasks" in capsys.readouterr().out


def test_check_system_explains_a_program_that_fails_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "infer.py").write_text("import no_such_network\n")
    (tmp_path / "system.toml").write_text(f"command = {json.dumps([sys.executable, 'infer.py'])}\n")
    assert headshot(monkeypatch, "check-system", tmp_path / "system.toml") == 1
    shown = capsys.readouterr().out
    assert "BROKEN" in shown
    assert "ModuleNotFoundError: No module named 'no_such_network'" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check-system", ""], "the command is empty"),
        (["check-system", "python 'infer.py"], "is no command line"),
        (["check-system", "absent.toml"], "absent.toml"),
        (["request", "--data", "nowhere", "--out", "asked"], "nowhere"),
        (["benchmark", "--data", "nowhere", "--systems", "mine=dir:absent"], "nowhere"),
    ],
)
def test_a_users_mistake_is_one_paragraph(words: list[str], message: str, refusal: Callable[[list[str]], str]) -> None:
    assert message in refusal(words)


@pytest.mark.slow
def test_a_program_and_its_finished_predictions_stand_beside_the_built_in_system_with_the_same_scores(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPECS, "embedded", (SSIM, PSNR))
    monkeypatch.chdir(place)
    how = ["--data", "data", "--shots", "1,8", "--size", "64"]
    assert headshot(monkeypatch, "request", *how, "--out", "asked") == 0
    assert headshot(monkeypatch, "request", *how, "--out", "asked") == 2
    subprocess.run([sys.executable, EXAMPLES / "nearest_frame.py", "asked/request.json"], check=True)
    described = {"command": [sys.executable, str(EXAMPLES / "nearest_frame.py")], "title": "Theirs"}
    Path("theirs.toml").write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in described.items()))
    systems = "nearest-frame,mine=dir:asked/frames,theirs=cmd:theirs.toml"
    assert headshot(monkeypatch, "benchmark", *how, "--no-floors", "--run", "own", "--systems", systems) == 0
    run = Run.open(Path("own"))
    values = {
        name: [row["value"] for row in run.scores.to_pylist() if row["system"] == name]
        for name in ("nearest-frame", "mine", "theirs")
    }
    assert values["mine"] == values["theirs"] == values["nearest-frame"]
    assert [one.title for one in run.record.systems][1:] == ["mine", "Theirs"]
    assert run.record.failures == ()
    assert Path("own/logs/theirs.log").is_file()
