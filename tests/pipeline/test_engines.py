"""Real Dask, real deaths: the same bytes from any number of workers, after any interruption."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from manifests.schema import Manifest
from pipeline.config import PipelineConfig
from pipeline.preprocess import preprocess
from pipeline.status import verify
from pipeline.store import Store
from pipeline.verdicts import RejectReason
from tests.pipeline.conftest import clip_of, disc_frames, encode_video, manifest_of
from weights.files import TEMPORARY_MARK, sha256_of

pytestmark = pytest.mark.slow

CONFIG = PipelineConfig(size_px=128, min_frames=10)


@pytest.fixture(scope="module")
def people(samples: dict[str, Path]) -> Manifest:
    """Three short clips of real people, one of which is to be rejected, and a file that is no video."""
    clips = [
        clip_of(samples["pyfeat-man"], identity="feat", split="test"),
        clip_of(samples["carphone-man"], identity="phone"),
        clip_of(samples["carphone-man"], identity="phone", clip="part", start_s=1.0, end_s=3.0),
        clip_of(samples["obama"], identity="pair", end_s=2.0),
    ]
    return manifest_of(*clips)


@pytest.fixture(scope="module")
def made(people: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of these people, made by two workers."""
    out = tmp_path_factory.mktemp("people") / "data"
    preprocess(people, out.parent, out, CONFIG, workers=2)
    return out


def shard_hashes(out: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in sorted((out / "data").glob("[!.]*"))}


def test_one_worker_two_workers_and_no_cluster_make_the_same_bytes(
    people: Manifest, made: Path, tmp_path: Path
) -> None:
    for workers in (0, 1):
        out = tmp_path / f"workers-{workers}"
        preprocess(people, out.parent, out, CONFIG, workers=workers)
        assert shard_hashes(out) == shard_hashes(made)
        for name in ("index.parquet", "rejects.parquet", "dataset.json", "README.md"):
            assert (out / name).read_bytes() == (made / name).read_bytes()


RUN = """
import sys
from pathlib import Path
from manifests.schema import Manifest
from pipeline.config import PipelineConfig
from pipeline.preprocess import preprocess
if __name__ == "__main__":
    manifest, out, config = sys.argv[1:]
    preprocess(
        Manifest.model_validate_json(Path(manifest).read_text()), Path(out).parent, Path(out),
        PipelineConfig.model_validate_json(config), workers=2,
    )
"""


@pytest.mark.parametrize("whole_group", [False, True])
def test_a_killed_run_started_again_ends_with_the_same_bytes(
    people: Manifest, made: Path, tmp_path: Path, whole_group: bool
) -> None:
    """Killed at random moments, alone or with its workers; once alone, the workers end by themselves."""
    out, script, manifest = tmp_path / "data", tmp_path / "run.py", tmp_path / "manifest.json"
    script.write_text(RUN)
    manifest.write_text(people.model_dump_json())
    command = [sys.executable, str(script), str(manifest), str(out), CONFIG.model_dump_json()]
    rng = random.Random(int(whole_group))
    for _ in range(2):
        with subprocess.Popen(command, start_new_session=True) as process:
            try:
                process.wait(timeout=rng.uniform(2.0, 9.0))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL) if whole_group else process.kill()
    subprocess.run(command, check=True)
    assert shard_hashes(out) == shard_hashes(made)
    assert (out / "rejects.parquet").read_bytes() == (made / "rejects.parquet").read_bytes()
    assert not [path for path in out.rglob("*") if TEMPORARY_MARK in path.name]
    assert verify(out) == ()


class Killer(threading.Thread):
    """Kills every process but this one as soon as it opens a certain file: a decoder that crashes on it."""

    def __init__(self, poison: Path) -> None:
        super().__init__(daemon=True)
        self._poison = str(poison)
        self._stopped = threading.Event()
        self.kills = 0

    def run(self) -> None:
        while not self._stopped.wait(0.01):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    reads_poison = any(str(entry.readlink()) == self._poison for entry in (process / "fd").iterdir())
                except OSError:  # gone already
                    continue
                if reads_poison and int(process.name) != os.getpid():
                    os.kill(int(process.name), signal.SIGKILL)
                    self.kills += 1

    def stop(self) -> None:
        self._stopped.set()
        self.join()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_clip_that_kills_its_worker_is_condemned_and_no_other(samples: dict[str, Path], tmp_path: Path) -> None:
    """The workers die on it, Dask blames whole tasks, and in the end only the one clip is left out."""
    poison = encode_video(tmp_path / "poison.mp4", disc_frames(3000))
    clips = [
        clip_of(samples["carphone-man"], identity="phone"),
        clip_of(poison),
        clip_of(samples["pyfeat-man"], identity="feat"),
    ]
    killer = Killer(poison)
    killer.start()
    try:
        report = preprocess(
            manifest_of(*clips), tmp_path, tmp_path / "data", CONFIG.model_copy(update={"min_shards": 2}), workers=2
        )
    finally:
        killer.stop()
    store = Store.open(tmp_path / "data")
    assert killer.kills >= 3  # the worker, its successor, and the child in quarantine
    assert report.quarantined
    assert [clip.identity for clip in store.clips] == ["feat", "phone"]
    (reject,) = store.rejects
    assert (reject.identity, reject.reason) == ("poison", RejectReason.CRASHED)
    assert "SIGKILL" in reject.detail
    assert verify(tmp_path / "data") == ()


class TestOtherTools:
    """The shards are ordinary Parquet: the tools people have open them as they are."""

    def test_hugging_face_datasets_shows_images(self, made: Path, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets")
        files = {"train": str(made / "data/train-*.parquet"), "test": str(made / "data/test-*.parquet")}
        loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path))
        row = loaded["test"][0]
        assert isinstance(row["image"], Image.Image)
        assert row["image"].size == (128, 128)
        assert len(row["landmarks"]) == 136
        assert loaded["train"].num_rows == sum(clip.frames for clip in Store.open(made).clips if clip.split == "train")

    def test_the_dataset_card_tells_hugging_face_about_splits_and_columns(self, made: Path, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets")
        loaded = datasets.load_dataset(str(made), cache_dir=str(tmp_path))
        assert set(loaded) == {"train", "test"}
        assert loaded["test"].features["image"] == datasets.Image()

    def test_polars_reads_images_and_points(self, made: Path) -> None:
        polars = pytest.importorskip("polars")
        table = polars.read_parquet(made / "data/test-*.parquet")
        picture = Image.open(io.BytesIO(table["image"][0]["bytes"]))
        assert picture.size == (128, 128)
        assert table["landmarks"].dtype == polars.Array(polars.Float32, 136)
        assert table.filter(polars.col("ok")).height == 60

    def test_duckdb_reads_images_and_points(self, made: Path) -> None:
        duckdb = pytest.importorskip("duckdb")
        columns = "identity, count(*), min(len(landmarks)), any_value(image.bytes)"
        query = f"select {columns} from '{made}/data/*.parquet' group by 1"
        rows = {row[0]: row[1:] for row in duckdb.sql(query).fetchall()}
        assert set(rows) == {"feat", "phone"}
        count, points, picture = rows["feat"]
        assert (count, points, Image.open(io.BytesIO(picture)).size) == (60, 136, (128, 128))


def test_the_file_says_how_it_was_made(made: Path) -> None:
    metadata = pq.read_metadata(next((made / "data").glob("test-*.parquet"))).metadata
    assert json.loads(metadata[b"headshot.config"]) == CONFIG.model_dump(mode="json")
    assert set(json.loads(metadata[b"headshot.weights"])) == {
        "blazeface-short",
        "blazeface-full-sparse",
        "facemesh-468",
        "fr-feature-512",
    }
    assert metadata[b"headshot.landmarks"] == b"ibug68-from-mesh468"


def test_a_shard_whose_clips_were_all_rejected_is_an_empty_file_not_a_gap(made: Path) -> None:
    names = sorted(path.name for path in (made / "data").glob("train-*"))
    assert names == [f"train-{index:05d}-of-00003.parquet" for index in range(3)]
    empty = Store.open(made).rejects[0]
    assert empty.reason == RejectReason.AMBIGUOUS_FACE
    assert empty.key in Store.open(made).reject_pictures([empty.key])
    assert 0 in [pq.read_metadata(made / "data" / name).num_rows for name in names]
