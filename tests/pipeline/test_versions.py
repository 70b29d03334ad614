"""A dataset of another format is refused with what to do, by whatever opens it; faces are discs."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from manifests.schema import Clip
from pipeline import takedown_notes
from pipeline.config import PipelineConfig
from pipeline.dataset_info import DatasetInfo, ShardSummary, SoundTotals, WeightUse
from pipeline.index import REJECTS_SCHEMA, index_schema
from pipeline.layout import DatasetLayout
from pipeline.offsets import ROW_DTYPE
from pipeline.plan import Plan, ShardPlan
from pipeline.records import AudioFile, ClipRecord, RejectRecord, ShardRecord, SoundRecord
from pipeline.schema import COLUMNS
from pipeline.sound_shard import SOUND_COLUMNS
from pipeline.status import status, verify
from pipeline.store import Store
from pipeline.versions import SCHEMA_VERSION
from tests.pipeline.conftest import manifest_of, run
from weights.errors import HeadshotError
from weights.files import sha256_of

DIGESTS = {2: "4ef8c014c24f158f", 3: "3e32154c99b70e26", 4: "ff9c41896e442bb4"}
"""Of what the files of a dataset hold, by version."""


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """The dataset of Ann, Bob and Eve, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def make_other(data: Path, version: int) -> None:
    """Have the dataset say of itself that another version wrote it."""
    for path in (data / "plan.json", data / "dataset.json", *(data / "records").iterdir()):
        rewrite(path, schema_version=version)


OPENERS: dict[str, Callable[[Path], object]] = {
    "status": status,
    "verify": verify,
    "store": Store.open,
    "takedown": lambda data: takedown_notes.begin(data, "ann"),
}


@pytest.mark.parametrize("opener", OPENERS)
def test_an_older_format_is_refused_with_what_to_do(copy: Path, opener: str) -> None:
    make_other(copy, 1)
    with pytest.raises(
        HeadshotError, match=r"json is in format 1, and .* reads format \d+: make .* --replace"
    ) as refused:
        OPENERS[opener](copy)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("opener", OPENERS)
def test_a_newer_format_is_refused_with_what_to_do(copy: Path, opener: str) -> None:
    make_other(copy, SCHEMA_VERSION + 1)
    with pytest.raises(HeadshotError, match="install the newer version that wrote it"):
        OPENERS[opener](copy)


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "\0", '{"schema_version": 4, "name": 3}'])
def test_a_damaged_description_is_named(copy: Path, opener: str, text: str) -> None:
    name = "dataset.json" if opener == "store" else "plan.json"
    (copy / name).write_text(text)
    with pytest.raises(HeadshotError, match=f"{name} is damaged"):
        OPENERS[opener](copy)


def test_an_older_format_in_object_storage_is_refused(copy: Path) -> None:
    make_other(copy, 1)
    memory = fsspec.filesystem("memory")
    memory.put(str(copy), "/bucket/old", recursive=True)
    for opener in (Store.open, status, verify):
        with pytest.raises(HeadshotError, match=r"memory:///bucket/old/.*json is in format 1"):
            opener("memory://bucket/old")
    memory.rm("/bucket", recursive=True)


@pytest.mark.usefixtures("discs_are_faces")
def test_an_older_dataset_is_made_again_only_when_that_is_said(copy: Path, made: Path, videos: list[Path]) -> None:
    make_other(copy, 1)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(HeadshotError, match="is in format 1"):
        run(manifest_of(*videos), copy)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
    assert run(manifest_of(*videos), copy, replace=True).shards_made == 3
    for path in sorted((made / "data").iterdir()):
        assert sha256_of(copy / "data" / path.name) == sha256_of(path)


def test_a_shard_whose_record_is_of_another_format_is_not_done(copy: Path) -> None:
    rewrite(sorted((copy / "records").iterdir())[0], schema_version=1)
    assert (status(copy).shards_done, status(copy).finished) == (2, False)
    assert [fault.detail for fault in verify(copy)] == ["not made yet"]


def test_what_is_written_names_the_version(made: Path) -> None:
    layout = DatasetLayout(made)
    files = (layout.plan, layout.info, *(made / "records").iterdir())
    assert {json.loads(path.read_text())["schema_version"] for path in files} == {SCHEMA_VERSION}


def test_no_file_of_a_dataset_changes_without_a_new_version() -> None:
    """Names and types of all columns and fields. If this fails, raise `SCHEMA_VERSION` and add its digest."""
    records = (Plan, ShardPlan, ShardRecord, ClipRecord, RejectRecord, DatasetInfo, ShardSummary, WeightUse)
    of_sound = (SoundRecord, AudioFile, SoundTotals)
    content = [
        [(name, str(kind)) for name, kind in (*COLUMNS, *SOUND_COLUMNS)],
        [str(field) for schema in (index_schema(audio=True), REJECTS_SCHEMA) for field in schema],
        ROW_DTYPE.descr,
        [(kind.__name__, list(kind.model_fields)) for kind in (*records, *of_sound, PipelineConfig, Clip)],
    ]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
    assert digest == DIGESTS[SCHEMA_VERSION]
