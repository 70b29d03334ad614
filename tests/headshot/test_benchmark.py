"""Running a benchmark from the command line: parts, workers."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eval.runs.results import Run
from headshot.cli import app


def go(place: Path, *arguments: object) -> Result:
    folders = ("--data", place / "data", "--run", place / "fresh", "--systems", "copy-source,mean-frame")
    small = ("--shots", "1,8", "--draws", 1, "--size", 64, "--no-floors")
    return CliRunner().invoke(app, ["benchmark", *map(str, (*folders, *small, *arguments))])


@pytest.fixture
def place(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; scores need no networks."""
    from eval.specs import profiles
    from eval.specs.image import PSNR, SSIM

    monkeypatch.setattr(profiles, "SPECS", {"embedded": (SSIM, PSNR)})
    return place


def test_a_part_renders_and_says_how_to_go_on(place: Path) -> None:
    first = go(place, "--part", "1/2")
    assert "part 1/2: 6 predictions are there, 0 failed" in first.stdout
    assert "without --part" in first.stdout
    assert len(list((place / "fresh").rglob("predictions/*/*.parquet"))) == 6
    assert not (place / "fresh" / "run.json").exists()
    assert "Mean over 3 people" in go(place).stdout
    assert Run.open(place / "fresh").record.score_key == Run.open(place / "run").record.score_key


@pytest.mark.slow
def test_workers_render_the_same(place: Path) -> None:
    assert go(place, "--workers", 2).exit_code == 0
    there = Run.open(place / "fresh").record
    shutil.rmtree(place / "fresh")
    go(place)
    assert there.score_key == Run.open(place / "fresh").record.score_key
