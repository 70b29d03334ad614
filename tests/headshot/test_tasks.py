"""Tasks on the command line: a file for everybody, and what a run of them prints."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.rendering.references import NAMES
from eval.runs.results import Run
from eval.specs.image import SSIM
from eval.tasks.making import make_tasks
from eval.tasks.task_set import TaskSet
from headshot.cli import main
from tests.eval.conftest import DrawnStore, drawn_store

Command = Callable[..., str]


@pytest.fixture
def data(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> DrawnStore:
    """Drawn people stand in for any dataset, and one metric without a network for the profile."""
    store = drawn_store(tmp_path_factory.mktemp("data"))
    monkeypatch.setattr("pipeline.store.Store.open", lambda _: store)
    monkeypatch.setattr("eval.specs.profiles.SPECS", {"embedded": (SSIM,)})
    monkeypatch.chdir(tmp_path)
    return store


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command line to its end and return what it printed, lines unbroken."""

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["headshot", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert ended.value.code == 0, shown.err
        return " ".join(shown.out.split())

    return run


def test_the_file_and_its_hash_are_what_a_run_is_recorded_with(data: DrawnStore, command: Command) -> None:
    shown = command("tasks", "make", "--shots", "1,4", "--size", "32", "--draws", "1:2,4:1", "-o", "frozen.json")
    tasks = TaskSet.load(Path("frozen.json"))
    assert (tasks.shots, tasks.draws) == ((1, 4), (2, 1))
    assert tasks.sha256() in shown
    printed = command("benchmark", "--tasks", "frozen.json", "--systems", "copy-source", "--no-floors", "--run", "run")
    run = Run.open(Path("run"))
    assert (run.tasks, run.record.tasks_sha256) == (tasks, tasks.sha256())
    assert [system.name for system in run.record.systems] == ["copy-source"]
    assert "self-reenactment" in printed
    assert "Floors" not in printed


def test_floors_and_ceilings_are_in_every_run(data: DrawnStore, command: Command) -> None:
    options = ("--shots", "1", "--size", "32", "--query-frames", "8", "--systems", "copy-source", "--run", "run")
    printed = command("benchmark", *options)
    record = Run.open(Path("run")).record
    assert [system.name for system in record.systems if system.reference] == list(NAMES)
    assert {"copy-source", "nearest-frame", "mean-frame"} == {one.name for one in record.systems if not one.reference}
    before, after = printed.split("Floors and ceilings:")
    assert all(name in after and name not in before for name in NAMES)


def test_a_quick_look_is_labelled_in_the_table_the_record_and_the_tasks(data: DrawnStore, command: Command) -> None:
    options = ("--shots", "1", "--size", "32", "--systems", "copy-source", "--run", "run", "--no-floors")
    printed = command("benchmark", "--limit", "2", *options)
    label = "quick look (--limit 2): 2 of 3 people, one clip of each, 8 frames a clip"
    assert printed.count(label.removeprefix("q")) >= 2, "above the tables and in the title of each"
    run = Run.open(Path("run"))
    assert (run.record.config["limit"], run.tasks.limit) == (2, 2)
    assert label in str(run.record.config["label"])


def test_frozen_tasks_leave_nothing_to_choose(data: DrawnStore, refusal: Callable[[list[str]], str]) -> None:
    path = data.root / "tasks.json"
    make_tasks(data, [1], size_px=32).save(path)
    text = refusal(["benchmark", "--tasks", str(path), "--shots", "8", "--query-frames", "9"])
    assert "so does --shots, --query-frames" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--protocol", "other"], "choose one of self, cross, video, zakharov-2019"),
        (["--draws", "many"], "give a number, pairs such as 1:3,8:1, or auto"),
        (["--draws", "64:2"], "64 shots, which are not among the shots"),
        (["--pairs", "absent.csv", "--protocol", "cross"], "no list of pairs at absent.csv"),
        (["--protocol", "video", "--query-frames", "20"], "runs of 16 frames, which 20 query frames do not fill"),
        (["--protocol", "zakharov-2019", "--shots", "1"], "has 1, 8, 32 shots and you ask for 1"),
    ],
)
def test_a_mistake_in_the_options_says_what_to_give(
    options: list[str], message: str, data: DrawnStore, refusal: Callable[[list[str]], str]
) -> None:
    assert message in refusal(["tasks", "make", *options])
