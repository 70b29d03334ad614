"""A person's voice leaves a dataset with their pictures; faces are discs."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from manifests.schema import Manifest
from pipeline.layout import DatasetLayout
from pipeline.status import verify
from pipeline.store import Store
from pipeline.takedown import take_out
from pipeline.takedown_notes import begin, finish, traces
from pipeline.traces import scan
from pipeline.withdrawals import read_withdrawals
from tests.pipeline.conftest import clip_of, discs_for_faces, ffmpeg, manifest_of, run
from tests.pipeline.takedowns import PEOPLE, TOGETHER, hashes, killed_at, make_people, marked, without

pytestmark = pytest.mark.usefixtures("discs_are_faces")


@pytest.fixture(scope="module")
def with_voices(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path]:
    """The people of one shard, each with a noise of their own, and their dataset. Not to be changed."""
    folder = tmp_path_factory.mktemp("voices")
    films = make_people(tmp_path_factory.mktemp("films"))
    for number, name in enumerate(PEOPLE[:3]):
        noise = f"anoisesrc=c=pink:r=16000:a=0.3:d=2:seed={number}"
        sound = ("-f", "lavfi", "-i", noise, "-c:v", "copy", "-c:a", "pcm_s16le", "-shortest")
        ffmpeg("-i", str(films[name]), *sound, str(folder / f"{name}.mkv"))
    manifest = manifest_of(*(clip_of(folder / f"{name}.mkv") for name in PEOPLE[:3]))
    with discs_for_faces():
        run(manifest, folder / "data", TOGETHER.model_copy(update={"audio": True}))
    return manifest, folder / "data"


def test_a_persons_sound_goes_and_that_of_others_keeps_every_byte(
    with_voices: tuple[Manifest, Path], tmp_path: Path
) -> None:
    manifest, before = with_voices
    data = Path(shutil.copytree(before, tmp_path / "data"))
    (gone,) = sounds(before, "bobby")
    begun = begin(data, "bobby")
    left = traces(data, "bobby")
    shard = "audio/train-00000-of-00001.parquet"
    assert data / shard in scan([data], left).found
    assert scan([data / "audio"], left).found == (data / shard,), "sound leaves traces of its own"
    changes = {change.what: (change.files, change.rows) for change in take_out(data, begun)}
    assert changes["sound"] == (1, 1)
    assert scan([data], left).found == ()
    assert not any(gone[len(gone) // 2 :][:64] in path.read_bytes() for path in data.rglob("*") if path.is_file())
    finish(data, "bobby")
    assert verify(data) == ()
    for name in ("ann", "cy"):
        assert sounds(data, name) == sounds(before, name)
    after = Store.open(data)
    assert after.info.sound is not None
    assert after.info.sound.clips == 2
    assert after.sound(after.clip("cy/video/full")) is not None
    day = read_withdrawals(DatasetLayout(data))["bobby"]
    run(marked(manifest, "bobby", day), tmp_path / "anew", TOGETHER.model_copy(update={"audio": True}))
    assert hashes(data)[shard] == hashes(tmp_path / "anew")[shard]


def sounds(root: Path, identity: str) -> list[bytes]:
    table = pq.read_table(next((root / "audio").iterdir())).to_pylist()
    return [row["audio"]["bytes"] for row in table if row["identity"] == identity]


@pytest.mark.parametrize(("function", "call"), [("publish", 2), ("write_record", 1)])
def test_killed_between_sound_and_pictures_the_same_command_finishes_the_job(
    with_voices: tuple[Manifest, Path], tmp_path: Path, function: str, call: int
) -> None:
    data = Path(shutil.copytree(with_voices[1], tmp_path / "data"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"pipeline.shards.{function}", killed_at(call, f"pipeline.shards.{function}"))
        with pytest.raises(KeyboardInterrupt):
            without(data, "bobby")
    left = traces(data, "bobby")
    take_out(data, begin(data, "bobby"))
    assert scan([data], left).found == ()
    assert verify(data) == ()
    assert sounds(data, "bobby") == []


def test_damaged_sound_of_the_person_is_dropped_with_its_shard(
    with_voices: tuple[Manifest, Path], tmp_path: Path
) -> None:
    data = Path(shutil.copytree(with_voices[1], tmp_path / "data"))
    path = next((data / "audio").iterdir())
    path.write_bytes(path.read_bytes()[:-100])
    without(data, "bobby")
    assert list((data / "audio").iterdir()) == list((data / "data").iterdir()) == []
