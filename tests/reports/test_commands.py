"""The commands that make a report again: right for any manifest, and ones that the command line takes."""

from dataclasses import replace
from pathlib import Path

import pytest

from eval.runs.results import Run, SystemRecord
from manifests.readers import read_manifest
from pipeline.config import PipelineConfig
from reports.commands import HEADSHOT, commands, shipped_manifest
from tests.headshot.test_cli import check_usage

SHIPPED = sorted((Path(__file__).parents[2] / "manifests").glob("*.toml"))


def of_data(run: Run, **changed: str) -> Run:
    dataset = run.record.dataset.model_copy(update=changed)
    return replace(run, record=run.record.model_copy(update={"dataset": dataset}))


def usages(lines: tuple[str, ...]) -> list[str]:
    joined = [line.replace("\\\n", " ") for line in lines]
    return [f"headshot{line.removeprefix(HEADSHOT)}" for line in joined if line.startswith(HEADSHOT)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_manifest_of_headshot_is_found_by_its_content_whatever_the_data_set_is_called(run: Run, path: Path) -> None:
    found = commands(of_data(run, manifest_sha256=read_manifest(path).sha256()), (), PipelineConfig(size_px=64))
    name = f"manifests/{path.name}"
    assert f"{HEADSHOT} samples fetch --manifest {name} --into data/raw" in found
    assert f"{HEADSHOT} preprocess --manifest {name} --videos data/raw --data data/drawn --size 64" in found
    assert not [line for line in found if "MANIFEST" in line]


def test_another_manifest_is_named_by_its_hash_and_nothing_is_fetched_for_it(run: Run) -> None:
    found = commands(run, (), PipelineConfig())
    assert shipped_manifest(run.record.dataset.manifest_sha256) == ""
    assert run.record.dataset.manifest_sha256 in found[0]
    assert found[0].startswith("# MANIFEST.toml: ")
    assert not [line for line in found if "samples fetch" in line]


def test_everything_that_made_the_data_set_is_asked_for_again(run: Run) -> None:
    config = PipelineConfig(size_px=96, backend="fan", crop_mode="ffhq", gaze=True, audio=True, recognise=False)
    (line,) = (line for line in commands(run, (), config) if " preprocess " in line)
    assert line.endswith("--size 96 --backend fan --crop ffhq --gaze --audio --no-recognise")


def test_floors_are_asked_for_where_the_run_had_some(run: Run) -> None:
    with_floors = commands(run, run.record.systems[:1], PipelineConfig())
    assert [line for line in commands(run, (), PipelineConfig()) if "--no-floors" in line]
    assert not [line for line in with_floors if "--no-floors" in line]


def test_systems_of_others_are_asked_for_as_files_that_the_notes_name(run: Run) -> None:
    own = SystemRecord(name="mine", title="Mine", config={"kind": "external process"})
    done = SystemRecord(name="theirs", title="Theirs", config={"kind": "finished predictions"})
    record = run.record.model_copy(update={"systems": (run.record.systems[0], own, done)})
    found = "\n".join(commands(replace(run, record=record), (), PipelineConfig()))
    assert "--systems copy-source,mine=cmd:mine.toml,theirs=dir:theirs " in found
    assert "# mine=cmd:mine.toml: " in found
    assert "# theirs=dir:theirs: " in found


@pytest.mark.parametrize("name", ["drawn", "my data; rm -rf $HOME", "<img src=x onerror=alert(1)>"])
def test_every_line_is_one_that_the_command_line_takes(run: Run, name: str) -> None:
    tried = usages(commands(of_data(run, name=name), (), PipelineConfig()))
    assert [line.split()[1] for line in tried] == ["preprocess", "train", "benchmark", "report"]
    for line in tried:
        check_usage(line)
