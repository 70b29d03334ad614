"""What a clip can do wrong, and that it stays alone with it; faces are discs."""

from pathlib import Path

import pytest

from pipeline import cutting
from pipeline.store import Store
from tests.pipeline.conftest import SMALL, clip_of, disc_frames, encode_video, ffmpeg, manifest_of, run

pytestmark = pytest.mark.usefixtures("discs_are_faces")


def test_each_bad_input_is_one_reject_row_and_nothing_else_is_lost(tmp_path: Path) -> None:
    good = encode_video(tmp_path / "good.mp4", disc_frames(40))
    whole = encode_video(tmp_path / "whole.mkv", disc_frames(60), "25", ("-c:v", "libx264", "-g", "10"))
    (tmp_path / "truncated.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    (tmp_path / "stub.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 8])
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video " * 100)
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", str(tmp_path / "sound.mp4"))
    encode_video(tmp_path / "nobody.mp4", disc_frames(40, []))
    encode_video(tmp_path / "pair.mp4", disc_frames(40, [(60, 60, 22), (140, 60, 22)]))
    encode_video(tmp_path / "tiny.mp4", disc_frames(40, [(60, 60, 10)]))
    encode_video(tmp_path / "glimpse.mp4", disc_frames(4) + disc_frames(40, []) + disc_frames(4))
    encode_video(tmp_path / "short.mp4", disc_frames(5))
    expected = {
        "stub.mkv": "unreadable",
        "empty.mp4": "unreadable",
        "text.mp4": "unreadable",
        "absent.mp4": "missing_source",
        "sound.mp4": "no_video",
        "nobody.mp4": "no_face",
        "pair.mp4": "ambiguous_face",
        "tiny.mp4": "face_too_small",
        "glimpse.mp4": "face_lost",
        "short.mp4": "too_short",
    }
    clips = [clip_of(tmp_path / name) for name in (*expected, "truncated.mkv")]
    clips += [
        clip_of(good),
        clip_of(good, identity="late", start_s=100.0),
        clip_of(good, identity="gone", withdrawn="2024-05-01"),
        clip_of(good, identity="swapped", source={"kind": "file", "path": str(good), "sha256": "0" * 64}),
        clip_of(tmp_path / "pair.mp4", identity="chosen", face_box=(0.2, 0.3, 0.4, 0.7)),
    ]
    run(manifest_of(*clips), tmp_path / "data", SMALL.model_copy(update={"min_shards": 3}))
    store = Store.open(tmp_path / "data")
    reasons = {reject.identity: reject.reason for reject in store.rejects}
    assert reasons == {
        **{Path(name).stem: reason for name, reason in expected.items()},
        "late": "no_video",
        "gone": "withdrawn",
        "swapped": "source_changed",
    }
    assert all(reject.detail for reject in store.rejects)
    assert [clip.identity for clip in store.clips] == ["chosen", "good", "truncated"]
    assert [clip.frames for clip in store.clips][:2] == [40, 40]
    assert 20 < store.clips[2].frames < 60


def test_an_exception_in_one_clip_is_its_verdict_and_the_others_land(
    tmp_path: Path, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it strikes after some of the clip's rows were written: then the shard is begun again without it."""
    cut_batch = cutting._cut_batch

    def fail_late(batch, followed, config, likeness):  # type: ignore[no-untyped-def]
        if followed.clip.identity == "bob" and batch[0].index > 0:
            raise ZeroDivisionError("a bug in the middle")
        return cut_batch(batch, followed, config, likeness)

    monkeypatch.setattr(cutting, "_cut_batch", fail_late)
    monkeypatch.setattr(cutting, "BATCH_FRAMES", 8)
    config = SMALL.model_copy(update={"min_shards": 1, "row_group_frames": 8})
    run(manifest_of(*videos), tmp_path / "data", config)
    store = Store.open(tmp_path / "data")
    (reject,) = store.rejects
    assert (reject.identity, reject.reason) == ("bob", "failed")
    assert reject.detail == "ZeroDivisionError: a bug in the middle"
    assert [clip.identity for clip in store.clips] == ["ann", "eve"]
    assert store.frames(store.clips[1], [0, 39]).shape == (2, 64, 64, 3)


def test_a_clip_that_takes_too_long_is_rejected(tmp_path: Path, videos: list[Path]) -> None:
    config = SMALL.model_copy(update={"clip_timeout_s": 1e-9})
    report = run(manifest_of(*videos), tmp_path / "data", config)
    assert report.info.rejects_by_reason == {"timeout": 3}
