"""What `headshot ranks` and `headshot benchmark` say of a finished run on three people."""

from dataclasses import replace
from pathlib import Path

import pytest

from eval.runs.results import Run
from headshot.benchmark import print_main_table
from headshot.ranks import ranks_command
from tests.eval.statistics.test_comparisons import drawn, scores_of
from weights.errors import HeadshotError


def test_a_run_on_three_people_is_ranked_and_nothing_is_separated(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranks_command(run=finished / "run", metrics="all", stratum=None)
    shown = capsys.readouterr().out
    assert "Places; two systems that share a letter are not separated" in shown
    assert "1 to 2" in shown
    for metric in ("ssim", "psnr"):
        assert shown.count(f"{metric} ") >= 4
    assert "With 3 people the smallest p of a two-sided sign-flip test is 0.25" in shown
    assert "better" not in {line.split()[-1] for line in shown.splitlines() if line.split()}


def test_one_metric_can_be_asked_for(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ranks_command(run=finished / "run", metrics="psnr", stratum=None)
    shown = capsys.readouterr().out
    assert "psnr" in shown
    assert "ssim" not in shown
    with pytest.raises(HeadshotError, match="has no metric fid"):
        ranks_command(run=finished / "run", metrics="fid", stratum=None)


def test_a_benchmark_says_what_few_people_cannot_show(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.open(finished / "run")
    print_main_table(run, run.folder)
    assert "no test can separate systems here" in capsys.readouterr().out


def test_a_benchmark_lists_who_is_not_separated_from_the_best(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fourteen people: two systems alike, and one far behind."""
    values = drawn("one", "two")
    values |= {("far", shots): values["one", shots] - 0.3 for shots in (1, 8)}
    few = Run.open(finished / "run")
    systems = tuple(few.record.systems[0].model_copy(update={"name": name}) for name in ("one", "two", "far"))
    run = replace(few, record=few.record.model_copy(update={"systems": systems}), scores=scores_of(values))
    print_main_table(run, run.folder)
    shown = capsys.readouterr().out.partition("Not separated from the best at 8 shots")[2].splitlines()
    (line,) = [line for line in shown if line.startswith("ssim")]
    assert set(line.split()) >= {"one", "two", "8"}
    assert "far" not in line
    assert line.rstrip().endswith("not separated")
