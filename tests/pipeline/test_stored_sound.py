"""The sound of a dataset: in time with its frames, whole or accounted for; faces are discs."""

import io
import shutil
from pathlib import Path
from typing import Any

import av
import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.schema import Clip, Manifest
from pipeline.audio import decode_flac
from pipeline.layout import DatasetLayout
from pipeline.shards import try_clip
from pipeline.status import status, verify
from pipeline.store import Store
from pipeline.verdicts import RejectReason
from tests.pipeline.conftest import REPOSITORY, clip_of, discs_for_faces, manifest_of, run
from tests.pipeline.sounds import BURST_S, LENGTH_S, RATE_HZ, WITH_SOUND, make_films, onset_s
from weights.errors import HeadshotError
from weights.files import TEMPORARY_MARK, sha256_of

SHARD = "train-00000-of-00001"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A burst, no sound, a damaged track, stereo. Not to be changed."""
    return make_films(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def manifest(films: dict[str, Path]) -> Manifest:
    """The films, and of Ann also a stretch that begins in the middle."""
    middle = clip_of(films["ann"], clip="middle", start_s=1.01, end_s=2.4)
    return manifest_of(*(clip_of(path) for path in films.values()), middle)


@pytest.fixture(scope="module")
def sounding(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """The dataset. Not to be changed."""
    out = tmp_path_factory.mktemp("sounding") / "data"
    with discs_for_faces():
        run(manifest, out, WITH_SOUND)
    return out


@pytest.fixture(scope="module")
def brief(films: dict[str, Path]) -> Manifest:
    """Two short clips, for tests that make shards again."""
    return manifest_of(*(clip_of(films[name], start_s=1.0, end_s=2.4) for name in ("ann", "cy")))


@pytest.fixture(scope="module")
def made_brief(tmp_path_factory: pytest.TempPathFactory, brief: Manifest) -> Path:
    """The dataset of these. Not to be changed."""
    out = tmp_path_factory.mktemp("brief") / "data"
    with discs_for_faces():
        run(brief, out, WITH_SOUND)
    return out


@pytest.fixture
def copy(made_brief: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_brief, tmp_path / "data"))


@pytest.mark.parametrize("name", ["full", "middle"])
def test_the_burst_is_heard_at_the_frame_at_which_it_was_recorded(sounding: Path, name: str) -> None:
    store = Store.open(sounding)
    clip = store.clip(f"ann/video/{name}")
    sound, pts_s = store.sound(clip), store.column(clip, "pts_s")
    assert sound is not None
    assert pts_s[0] == pytest.approx(0.0 if name == "full" else 1.04, abs=1e-3)
    assert onset_s(sound) + pts_s[0] == pytest.approx(BURST_S, abs=1e-3)


def test_the_sound_spans_the_stored_frames_and_no_more(sounding: Path) -> None:
    store = Store.open(sounding)
    clip = store.clip("ann/video/middle")
    sound, pts_s = store.sound(clip), store.column(clip, "pts_s")
    assert sound is not None
    assert sound.start_s == pytest.approx(0, abs=1 / RATE_HZ)
    assert len(sound.samples) / RATE_HZ == pytest.approx(2.4 - pts_s[0], abs=2 / RATE_HZ)
    whole = store.sound(store.clip("ann/video/full"))
    assert whole is not None
    assert len(whole.samples) == LENGTH_S * RATE_HZ


def test_what_has_no_sound_is_counted_and_costs_no_clip(sounding: Path) -> None:
    now = status(sounding)
    assert now.clips_in_shards == 5
    assert now.sound is not None
    assert (now.sound.clips, now.sound.flaws) == (4, {"damaged": 1, "no_track": 1})
    store = Store.open(sounding)
    assert store.info.sound == now.sound
    assert store.sound(store.clip("bob/video/full")) is None
    rows = {row["key"]: (row["sound_s"], row["sound_flaw"]) for row in store.index().to_pylist()}
    assert rows["bob/video/full"] == (0, "no_track")
    assert rows["ann/video/full"] == (LENGTH_S, "")
    assert rows["cy/video/full"] == (pytest.approx(2.0, abs=0.07), "damaged")


def test_sound_is_stored_up_to_the_damage(sounding: Path) -> None:
    store = Store.open(sounding)
    sound = store.sound(store.clip("cy/video/full"))
    assert sound is not None
    assert 1.9 < len(sound.samples) / sound.rate_hz <= 2.07
    assert np.abs(sound.samples[-2000:].astype(int)).max() > 500, "noise to the end, no silence in its place"


def test_a_second_dataset_has_the_same_bytes_and_so_has_one_made_again(
    copy: Path, brief: Manifest, tmp_path: Path
) -> None:
    before = sha256_of(copy / f"audio/{SHARD}.parquet")
    DatasetLayout(copy).audio(SHARD).unlink()
    stale = copy / "audio" / f".{SHARD}{TEMPORARY_MARK}0.parquet"
    stale.write_text("left by a killed run")
    with discs_for_faces():
        assert run(brief, copy, WITH_SOUND).shards_made == 1
        assert run(brief, copy, WITH_SOUND).shards_made == 0
        run(brief, tmp_path / "anew", WITH_SOUND)
    assert sha256_of(copy / f"audio/{SHARD}.parquet") == before
    assert sha256_of(tmp_path / f"anew/audio/{SHARD}.parquet") == before
    assert not stale.exists()


def test_a_run_killed_between_its_files_is_finished_with_the_same_bytes(
    copy: Path, brief: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sha256_of(copy / f"audio/{SHARD}.parquet")
    for path in list(DatasetLayout(copy).files_of_shards()):
        path.unlink()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with discs_for_faces():
        with monkeypatch.context() as patch:
            patch.setattr("pipeline.shards.np.save", killed)
            with pytest.raises(KeyboardInterrupt):
                run(brief, copy, WITH_SOUND)
        assert status(copy).shards_done == 0
        assert run(brief, copy, WITH_SOUND).shards_made == 1
    assert sha256_of(copy / f"audio/{SHARD}.parquet") == before
    assert verify(copy) == ()


def test_verify_notices_one_changed_bit_of_sound(copy: Path) -> None:
    assert verify(copy) == ()
    path = DatasetLayout(copy).audio(SHARD)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (fault,) = verify(copy)
    assert fault.shard == SHARD
    assert "bytes of its sound changed" in fault.detail


def test_flaws_that_another_try_may_mend_can_be_tried_again(copy: Path, brief: Manifest) -> None:
    record = DatasetLayout(copy).record(SHARD)
    record.write_text(record.read_text().replace('"damaged"', '"timeout"'))
    with discs_for_faces():
        assert run(brief, copy, WITH_SOUND).shards_made == 0
        assert run(brief, copy, WITH_SOUND, retry=[RejectReason.TIMEOUT]).shards_made == 1


def test_asking_for_sound_is_another_plan_and_not_asking_leaves_none_behind(copy: Path, brief: Manifest) -> None:
    silent = WITH_SOUND.model_copy(update={"audio": False})
    with discs_for_faces():
        with pytest.raises(HeadshotError, match="other settings"):
            run(brief, copy, silent)
        run(brief, copy, silent, replace=True)
    assert list((copy / "audio").iterdir()) == []
    assert verify(copy) == ()
    store = Store.open(copy)
    with pytest.raises(HeadshotError, match="made without sound"):
        store.sound(store.clips[0])


def test_a_dataset_without_sound_has_no_file_or_table_of_it(made: Path) -> None:
    assert not (made / "audio").exists()
    for name in ("README.md", "croissant.json"):
        text = (made / name).read_text()
        assert "audio" not in text and "sound" not in text, name
    assert "sound_s" not in Store.open(made).index().column_names
    assert status(made).sound is None


def test_sound_comes_from_object_storage_too(sounding: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(sounding), "/bucket/sounding", recursive=True)
    local, remote = Store.open(sounding), Store.open("memory://bucket/sounding")
    for clip in local.clips:
        here, there = local.sound(clip), remote.sound(clip)
        assert (here is None) == (there is None)
        if here is not None and there is not None:
            assert (here.rate_hz, here.start_s) == (there.rate_hz, there.start_s)
            np.testing.assert_array_equal(here.samples, there.samples)
    assert status("memory://bucket/sounding") == status(sounding)
    assert verify("memory://bucket/sounding") == ()
    memory.rm("/bucket", recursive=True)


def test_the_quarantine_tries_the_sound_too(
    sounding: Path, films: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a clip that kills its process by its sound would be found innocent."""
    from pipeline.jobs import ShardJob
    from pipeline.plan import read_plan

    plan = read_plan(DatasetLayout(sounding))
    clip: Clip = plan.shards[0].clips[0]
    tried: list[Path] = []
    monkeypatch.setattr("pipeline.shards.load_networks", lambda _: None)
    monkeypatch.setattr("pipeline.shards.cut_sound", lambda path, *_: tried.append(path))
    with discs_for_faces():
        job = ShardJob(plan=plan.shards[0], config=WITH_SOUND, clip_folder=sounding.parent, root=sounding, condemned={})
        try_clip(job, clip)
    assert tried == [films["ann"]]


@pytest.mark.slow
def test_hugging_face_opens_frames_by_default_and_sound_by_name(sounding: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    load = {"cache_dir": str(tmp_path)}
    frames = datasets.load_dataset(str(sounding), split="train", **load)
    assert "image" in frames.features
    sounds = datasets.load_dataset(str(sounding), "audio", split="train", **load)
    assert isinstance(sounds.features["audio"], datasets.Audio)
    sounds = sounds.cast_column("audio", datasets.Audio(decode=False))
    store = Store.open(sounding)
    assert len(sounds) == 4
    for row in sounds:
        clip = store.clip(f"{row['identity']}/{row['video']}/{row['clip']}")
        sound = store.sound(clip)
        assert sound is not None
        np.testing.assert_array_equal(decode_flac(row["audio"]["bytes"]), sound.samples)
        assert (row["channels"], row["samples"]) == sound.samples.shape[::-1]


def test_the_example_of_the_guide_runs_and_finds_the_burst(sounding: Path) -> None:
    guide = (REPOSITORY / "docs/pipeline.md").read_text(encoding="utf-8")
    example = guide.split("## Sound\n")[1].split("```python\n")[1].split("```")[0]
    store = Store.open(sounding)
    here: dict[str, Any] = {"store": store, "clip": store.clip("ann/video/full")}
    exec(example.replace("[24]", "[40]").rstrip().rsplit("\n", 1)[0], here)
    assert np.abs(here["sound"].samples[: here["first"]]).max() < 100 < np.abs(here["sound"].samples).max()
    assert here["first"] == round(BURST_S * RATE_HZ)


def test_other_programs_read_the_parquet_file_and_the_flac_in_it(sounding: Path) -> None:
    table = pq.read_table(sounding / f"audio/{SHARD}.parquet")
    assert table["identity"].to_pylist() == ["ann", "ann", "cy", "dora"]
    encoded = table["audio"][3]["bytes"].as_py()
    assert encoded[:4] == b"fLaC"
    with av.open(io.BytesIO(encoded)) as container:
        assert container.streams.audio[0].channels == table["channels"][3].as_py() == 2


def test_croissant_describes_the_sound(sounding: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    described = mlcroissant.Dataset(jsonld=sounding / "croissant.json")
    assert not described.metadata.ctx.issues.errors
    names = {record_set.name for record_set in described.metadata.record_sets}
    assert names == {"frames", "sounds", "clips", "rejects"}
    record = next(iter(described.records("sounds")))
    assert (record["sounds/identity"], record["sounds/samples"]) == (b"ann", LENGTH_S * RATE_HZ)
    assert len(decode_flac(record["sounds/audio"])) == LENGTH_S * RATE_HZ
    files = {file.content_url: file.sha256 for file in described.metadata.distribution if hasattr(file, "sha256")}
    assert files[f"audio/{SHARD}.parquet"] == sha256_of(sounding / f"audio/{SHARD}.parquet")


def test_the_card_tells_of_the_sound(sounding: Path) -> None:
    text = (sounding / "README.md").read_text()
    assert "4 of 5 clips have sound" in text
    assert "1 x `no_track`" in text
