"""`headshot takedown` on a dataset, a checkpoint, a run and pages that were made by their own writers."""

import contextlib
import shutil
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from eval.runs.results import Run
from eval.systems.request import FRAMES_FOLDER, REQUEST_FILE, TASKS_FOLDER, Request
from headshot.cli import app
from model.checkpoint import read_config
from pipeline.store import Store
from reports.publish.build import publish_reports
from weights.errors import HeadshotError


def takedown(place: Path, *arguments: str, answer: str = "") -> Result:
    """Run the command where all is; it needs no network and no video."""
    folders = ("--data", "data", "--run", "run", "--report", "report")
    with contextlib.chdir(place):
        return CliRunner().invoke(app, ["takedown", *arguments, *folders], input=answer)


def naming(place: Path, name: str) -> set[str]:
    files = (path for path in place.rglob("*") if path.is_file() and "raw" not in path.parts)
    return {str(path.relative_to(place)) for path in files if name.encode() in path.read_bytes() or name in path.name}


def test_somebody_to_train_on_leaves_dataset_checkpoint_and_pages(place: Path) -> None:
    ended = takedown(place, "bobby")
    assert ended.exit_code == 0, ended.stderr
    assert naming(place, "by bobby") == set()
    assert {Path(path).name for path in naming(place, "bobby")} == {
        "plan.json",
        "withdrawn.json",
        "rejects.parquet",
        "train-00001-of-00002.json",
    }
    assert [clip.identity for clip in read_config(place / "run/checkpoint").clips] == ["ann"]
    assert len(Run.open(place / "run").scores), "nobody under test has left"
    assert "dora" in (place / "report/index.html").read_text()
    for row in ("shards", "checkpoint: clip embeddings", "report, written again", "statistics page, written again"):
        assert row in ended.stdout
    assert "learned from 1 clip of people who left" in ended.stdout
    assert "raw/bobby.mp4" in ended.stdout, "what it could not reach is named"
    assert "no byte sequence of the removed pictures or sound is left" in ended.stdout


def test_baselines_in_the_run_forget_the_person_too(place: Path) -> None:
    copied = place / "run/baselines/x2face-compact"
    shutil.copytree(place / "run/checkpoint", copied)
    ended = takedown(place, "bobby")
    assert ended.exit_code == 0, ended.stderr
    assert [clip.identity for clip in read_config(copied).clips] == ["ann"]
    assert ended.stdout.count("learned from 1 clip of people who left") == 2


def test_somebody_under_test_leaves_predictions_scores_and_the_report_goes(place: Path) -> None:
    ended = takedown(place, "dora")
    assert ended.exit_code == 0, ended.stderr
    assert not (place / "report").exists()
    assert not (place / "run/run.json").exists()
    assert not naming(place / "run", "dora")
    assert [clip.identity for clip in read_config(place / "run/checkpoint").clips] == ["ann", "bobby"]
    assert "the networks" not in ended.stdout
    again = takedown(place, "dora")
    assert again.exit_code == 0
    assert "nothing left to remove" in again.stdout


def test_videos_are_deleted_only_when_asked_for_and_agreed_to(place: Path) -> None:
    asked = ("bobby", "--videos", ".")
    refused = takedown(place, *asked, answer="n\n")
    assert refused.exit_code == 0, refused.stderr
    assert (place / "raw/bobby.mp4").exists()
    assert str(place / "raw/bobby.mp4") in refused.stdout
    assert takedown(place, "cy", "--videos", ".", "--yes").exit_code == 0
    assert sorted(path.name for path in (place / "raw").iterdir()) == ["ann.mp4", "bobby.mp4", "dora.mp4", "eve.mp4"]


def test_pictures_that_are_elsewhere_under_the_folders_are_found_and_the_command_can_be_repeated(
    place: Path, finished: Path
) -> None:
    store = Store.open(finished / "data")
    (clip,) = (clip for clip in store.clips if clip.identity == "bobby")
    (place / "run" / "notes.bin").write_bytes(b"x" * 1001 + store.encoded(clip, [7])[0])
    ended = takedown(place, "bobby")
    assert ended.exit_code == 1
    assert "notes.bin" in ended.stderr
    (place / "run" / "notes.bin").unlink()
    again = takedown(place, "bobby")
    assert again.exit_code == 0, again.stderr
    assert "no byte sequence of the removed pictures or sound is left" in again.stdout


def test_a_stranger_is_an_error_that_changes_nothing(place: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}
    ended = takedown(place, "bobbi")
    assert isinstance(ended.exception, HeadshotError)
    assert "the dataset has bobby" in str(ended.exception)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()} == before


def test_the_run_of_another_dataset_is_not_touched(place: Path) -> None:
    plan = place / "data" / "plan.json"
    plan.write_text(plan.read_text().replace('"name": "tests"', '"name": "office"', 1))
    ended = takedown(place, "bobby")
    assert isinstance(ended.exception, HeadshotError)
    assert "made from the dataset tests" in str(ended.exception)


def test_a_published_report_that_goes_leaves_list_feed_and_card(place: Path) -> None:
    publish_reports(place, "https://example.org/")
    names = ("index.html", "feed.xml")
    assert all("report/index.html" in (place / name).read_text(encoding="utf-8") for name in names)
    assert (place / "cards" / "report.png").is_file()
    assert takedown(place, "dora").exit_code == 0
    assert not any("report/index.html" in (place / name).read_text(encoding="utf-8") for name in names)
    assert not (place / "cards" / "report.png").exists()
    assert "https://example.org/" in (place / "feed.xml").read_text(encoding="utf-8"), "published as before"


def test_a_published_report_that_is_written_again_keeps_its_tags(place: Path) -> None:
    publish_reports(place, "https://example.org/")
    assert takedown(place, "bobby").exit_code == 0
    page = (place / "report" / "index.html").read_text(encoding="utf-8")
    assert '<link rel="canonical" href="https://example.org/report/">' in page
    assert "bobby" not in page
    again = takedown(place, "bobby")
    assert "there is nothing left to remove" in again.stdout, "tags are no change of the report"


def test_requests_to_programs_go_where_they_are_named_and_are_left_to_do_where_not(place: Path) -> None:
    asked, kept = place / "requests/demo", place / "requests/kept"
    for folder in (asked, kept):
        for part in (TASKS_FOLDER, FRAMES_FOLDER):
            (folder / part / "0123456789abcdef").mkdir(parents=True)
            (folder / part / "0123456789abcdef" / "0000.png").write_bytes(b"a picture of somebody")
        (folder / REQUEST_FILE).write_text(Request(size_px=64, points=68, tasks=()).model_dump_json())
    (kept / "notes.txt").write_text("of the user")
    assert "give them as --request" in takedown(place, "bobby").stdout
    assert asked.is_dir()
    ended = takedown(place, "bobby", "--request", "requests/demo", "--request", "requests/kept")
    assert ended.exit_code == 0, ended.stderr
    assert "requests to programs, removed" in ended.stdout
    assert not asked.exists()
    assert [path.name for path in kept.iterdir()] == ["notes.txt"], "what is not of the request stays"
    (kept / "request.json").write_text("something else")
    refused = takedown(place, "bobby", "--request", "requests/kept")
    assert isinstance(refused.exception, HeadshotError)
    assert (kept / "request.json").exists()
