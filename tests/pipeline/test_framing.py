"""Crop modes, crops given by the manifest, and the two ways of reading a clip."""

from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline import follow
from pipeline.clip_frames import ClipFrames
from pipeline.clip_work import process_clip
from pipeline.config import PipelineConfig
from pipeline.facemesh import Region
from pipeline.landmarks import eye_openness, mouth_openness
from pipeline.region_crop import area_of, cut_region, ffhq_region, pad_fraction, picture_to_region, smooth_regions
from pipeline.verdicts import Reject
from tests.model.conftest import face_points
from tests.pipeline.conftest import DISC, clip_of, disc_frames, encode_video

SMALL = PipelineConfig(size_px=64, min_face_px=10)


def frames_of(path: Path, config: PipelineConfig = SMALL, **changes: object) -> ClipFrames:
    found = process_clip(path, clip_of(path, **changes), config)
    assert isinstance(found, ClipFrames), found
    return found


def large_face() -> np.ndarray:
    """Return the schematic face in a picture of 192 px."""
    return face_points() * 3.0


def disc_centre(crop: np.ndarray) -> np.ndarray:
    y, x = np.nonzero(np.abs(crop.astype(int) - DISC).max(axis=-1) < 60)
    return np.array([x.mean(), y.mean()])


@pytest.mark.usefixtures("discs_are_faces")
def test_frames_kept_in_memory_are_the_frames_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode_video(tmp_path / "v.mkv", disc_frames(90))
    kept = frames_of(path)
    monkeypatch.setattr(follow, "KEPT_BYTES", 0)
    again = frames_of(path)
    for field in fields(ClipFrames):
        one, other = getattr(kept, field.name), getattr(again, field.name)
        assert np.array_equal(one, other, equal_nan=True) if isinstance(one, np.ndarray) else one == other


@pytest.mark.usefixtures("discs_are_faces")
@pytest.mark.parametrize("mode", ["tube", "smooth"])
def test_what_is_cut_lies_where_the_crop_column_says(tmp_path: Path, mode: str) -> None:
    path = encode_video(tmp_path / "v.mkv", disc_frames(60))
    found = frames_of(path, SMALL.model_copy(update={"crop_mode": mode}))
    for image, crop, box in zip(found.images, found.crop, found.box, strict=True):
        centre = crop[:, :2] @ ((box[:2] + box[2:] - 1) / 2) + crop[:, 2]
        assert disc_centre(image) == pytest.approx(centre, abs=0.6)


@pytest.mark.usefixtures("discs_are_faces")
def test_smooth_follows_the_head_and_tube_does_not(tmp_path: Path) -> None:
    background = np.zeros((200, 600, 3), np.uint8)
    moving = [cv2.circle(background.copy(), (80 + 4 * step, 100), 22, DISC, -1) for step in range(100)]
    path = encode_video(tmp_path / "v.mkv", moving)
    spread = {}
    for mode in ("tube", "smooth"):
        found = frames_of(path, SMALL.model_copy(update={"crop_mode": mode}))
        spread[mode] = np.ptp([disc_centre(image)[0] for image in found.images])
    assert spread["smooth"] < 16 < 40 < spread["tube"]


def test_smoothing_removes_jitter_without_delay() -> None:
    slots = list(range(100))
    x = 100.0 + np.arange(100)
    jitter = np.random.default_rng(0).normal(0, 3, 100)
    boxes = np.stack([x + jitter, np.full(100, 50.0), x + jitter + 40, np.full(100, 90.0)], axis=1)
    regions = smooth_regions(slots, boxes, PipelineConfig())
    centre = np.array([regions[slot].centre[0] for slot in slots])
    inner = slice(25, 75)
    assert np.abs(np.diff(centre[inner])).max() < 2.5
    assert np.abs(centre[inner] - (x + 20)[inner]).max() < 2
    assert np.diff(np.array([regions[slot].side_px for slot in slots])).max() < 0.1


def test_missing_slots_of_smooth_lie_between_their_neighbours() -> None:
    boxes = np.array([[0, 0, 40, 40], [100, 0, 140, 40]], np.float64)
    regions = smooth_regions([0, 10], boxes, PipelineConfig(smooth_s=0.001))
    assert regions[5].centre[0] == pytest.approx(70)


@pytest.mark.parametrize("degrees", [0, 25, -40])
def test_ffhq_turns_the_face_upright(degrees: float) -> None:
    points = large_face()
    turn = cv2.getRotationMatrix2D((96, 96), -degrees, 1.0)
    turned = points @ turn[:, :2].T + turn[:, 2]
    region = ffhq_region(turned)
    to_crop = picture_to_region(region, 128)
    upright = turned @ to_crop[:, :2].T + to_crop[:, 2]
    eyes = np.stack([upright[36:42].mean(axis=0), upright[42:48].mean(axis=0)])
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=1.0)
    assert eyes[0, 0] < 64 < eyes[1, 0]
    straight = ffhq_region(points)
    assert region.side_px == pytest.approx(straight.side_px, rel=1e-3)
    assert np.degrees(region.angle) == pytest.approx(degrees + np.degrees(straight.angle), abs=0.1)


def test_ffhq_cuts_what_the_published_quad_cuts() -> None:
    """The reference is the quadrilateral transform of Pillow, which the FFHQ script uses."""
    y, x = np.mgrid[:220, :260]
    picture = np.stack([x * 255 // 259, y * 255 // 219, 128 + 100 * np.sin(x / 9) * np.cos(y / 7)], -1).astype(np.uint8)
    points = large_face() * 0.5 + (60, 50)
    eye_left, eye_right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    eyes, mouth = (eye_left + eye_right) / 2, (points[48] + points[54]) / 2
    across = (eye_right - eye_left) - np.flipud(mouth - eyes) * [-1, 1]
    across *= max(np.hypot(*(eye_right - eye_left)) * 2.0, np.hypot(*(mouth - eyes)) * 1.8) / np.hypot(*across)
    down = np.flipud(across) * [-1, 1]
    centre = eyes + (mouth - eyes) * 0.1
    quad = np.stack([centre - across - down, centre - across + down, centre + across + down, centre + across - down])
    wanted = Image.fromarray(picture).transform((256, 256), Image.Transform.QUAD, tuple((quad + 0.5).ravel()), 2)
    region = ffhq_region(points)
    area = area_of(region, 260, 220)
    inner = picture[area.top : area.bottom, area.left : area.right]
    inside = pad_fraction(region, 260, 220) == 0
    assert inside
    assert np.abs(cut_region(inner, area, region, 256).astype(int) - np.asarray(wanted)).mean() < 1.5


def test_shrinking_a_region_averages_instead_of_aliasing() -> None:
    stripes = np.tile((np.arange(256) % 2 * 255).astype(np.uint8)[None, :, None], (256, 1, 3))
    region = Region(centre=np.array([127.5, 127.5]), side_px=200.0, angle=0.0)
    area = area_of(region, 256, 256)
    crop = cut_region(stripes[area.top : area.bottom, area.left : area.right], area, region, 50)
    assert np.abs(crop.astype(int) - 127).max() < 30


def test_padding_is_measured() -> None:
    half_out = Region(centre=np.array([-0.5, 50.0]), side_px=40.0, angle=0.0)
    assert pad_fraction(half_out, 100, 100) == pytest.approx(0.5, abs=0.02)


def test_crops_come_from_the_manifest_where_no_network_is_asked(tmp_path: Path) -> None:
    """A wide box becomes a square around the same middle; nothing is squashed and no landmark is invented."""
    path = encode_video(tmp_path / "v.mkv", disc_frames(30))
    config = SMALL.model_copy(update={"backend": "none"})
    found = frames_of(path, config, face_box=(0.2, 0.25, 0.6, 0.75))
    assert not found.ok.any()
    assert np.isnan(found.landmarks).all()
    assert len(found) == 30
    scale = 64 / 80
    assert found.crop[0] == pytest.approx(
        np.array([[scale, 0, (scale - 1) / 2 - scale * 40], [0, scale, (scale - 1) / 2 - scale * 20]])
    )
    verdict = process_clip(path, clip_of(path), config)
    assert isinstance(verdict, Reject)
    assert verdict.reason == "no_face"


@pytest.mark.usefixtures("discs_are_faces")
def test_following_in_a_shrunk_picture_finds_the_same_boxes(tmp_path: Path) -> None:
    large = [cv2.resize(frame, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC) for frame in disc_frames(30)]
    path = encode_video(tmp_path / "v.mkv", large)
    full, shrunk = frames_of(path), frames_of(path, SMALL.model_copy(update={"follow_px": 200}))
    assert np.abs(full.box - shrunk.box).max() <= 4
    assert np.abs(full.landmarks - shrunk.landmarks).max() < 2


def test_openness_goes_up_as_eyes_and_mouth_open() -> None:
    shut, wide = large_face(), large_face()
    up = np.array([0.0, 6.0])
    for top, bottom in ((37, 41), (38, 40), (43, 47), (44, 46), (62, 66)):
        middle = (shut[top] + shut[bottom]) / 2
        shut[top] = shut[bottom] = middle
        wide[top], wide[bottom] = middle - up, middle + up
    assert eye_openness(shut) == pytest.approx(0, abs=1e-6)
    assert mouth_openness(shut) == pytest.approx(0, abs=1e-6)
    width = np.mean([np.linalg.norm(wide[36] - wide[39]), np.linalg.norm(wide[42] - wide[45])])
    assert eye_openness(wide) == pytest.approx(12 / width, rel=0.05)
    assert mouth_openness(wide) == pytest.approx(12 / np.linalg.norm(wide[45] - wide[36]), rel=1e-5)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_openness_without_a_width_is_not_a_number() -> None:
    """Of the first face the eyes are points, the second is as it should be, the third was not found."""
    points = np.random.default_rng(0).uniform(0, 100, (3, 68, 2)).astype(np.float32)
    points[0, 36:48] = 50
    points[2] = np.nan
    assert np.isnan(eye_openness(points)).tolist() == [True, False, True]
    assert np.isnan(mouth_openness(points)).tolist() == [True, False, True]
    assert np.isnan(eye_openness(points[0]))
