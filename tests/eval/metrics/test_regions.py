import numpy as np
import pytest
import skimage.data

from eval.features import FeatureCache, Frames
from eval.metrics.image import l1, psnr, ssim, ssim_maps
from eval.metrics.regions import RegionMetric, absolute_error_within, masked_mean, psnr_within, region_mask
from eval.specs.image import PSNR
from eval.specs.regions import REGIONS, Region, at
from pipeline.landmarks import interocular
from weights.fetch import fetch

SIZE_PX = 96


def face(scale: float = 1.0, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Points that lie roughly as those of a face do, on a picture of 96 pixels."""
    angle = np.linspace(0, np.pi, 17)
    points = np.full((68, 2), 48.0)
    points[:17] = np.stack([48 - 30 * np.cos(angle), 45 + 35 * np.sin(angle)], axis=1)
    points[17:27] = np.stack([np.linspace(25, 71, 10), np.full(10, 32.0)], axis=1)
    points[27:36] = np.stack([np.full(9, 48.0), np.linspace(40, 56, 9)], axis=1)
    for start, centre in ((36, 36), (42, 60)):
        turn = np.linspace(np.pi, -np.pi, 6, endpoint=False)
        points[start : start + 6] = np.stack([centre + 6 * np.cos(turn), 40 + 2 * np.sin(turn)], axis=1)
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    points[48:68] = np.stack([48 + 10 * np.cos(turn), 66 + 4 * np.sin(turn)], axis=1)
    return ((points - 48) * scale + 48 + shift).astype(np.float32)


def test_a_region_is_what_lies_within_a_tenth_of_the_eyes_distance_of_its_hull() -> None:
    """Every pixel around the mouth, against a border of 8000 points."""
    points = face()
    margin = 0.1 * float(interocular(points))
    mask = region_mask(points, "mouth", SIZE_PX)
    dense = np.linspace(0, 1, 400)[:, None, None]
    hull = points[48:68].astype(np.float64)
    border = ((1 - dense) * hull + dense * np.roll(hull, -1, axis=0)).reshape(-1, 2)
    for row in range(55, 80):
        for column in range(30, 68):
            gap = np.hypot(*(border - (column, row)).T).min()
            inside = ((column - 48) / 9.8) ** 2 + ((row - 66) / 3.9) ** 2 < 1
            if abs(gap - margin) > 0.01:
                assert mask[row, column] == (inside or gap < margin), (column, row)
    assert not mask[:55].any()
    assert not mask[80:].any()


def test_the_regions_are_parts_of_the_face_and_do_not_meet() -> None:
    whole, mouth, eyes = (region_mask(face(), region, SIZE_PX) for region in ("face", "mouth", "eyes"))
    assert whole[mouth].all()
    assert whole[eyes].all()
    assert not (mouth & eyes).any()
    assert not eyes[40, 48], "two eyes, not what is between them"
    assert 0.3 < whole.mean() < 0.6
    assert 0.01 < min(eyes.mean(), mouth.mean()) < max(eyes.mean(), mouth.mean()) < 0.1


def test_shut_eyes_still_have_a_region() -> None:
    shut = face()
    shut[36:48, 1] = 40
    mask = region_mask(shut, "eyes", SIZE_PX)
    assert mask.sum() > 50
    reach = np.flatnonzero(mask[40])  # the corners are at 30 and 66, the margin is 3.6 pixels
    assert (reach.min(), reach.max()) == (27, 69)
    shut[36:48] = shut[[36]]
    shut[45, 0] += 30  # the other corner, so that there is a distance between the eyes
    assert region_mask(shut, "eyes", SIZE_PX).any()


def test_a_region_outside_of_the_picture_or_without_points_is_empty() -> None:
    assert not region_mask(face(shift=(0, 60)), "mouth", SIZE_PX).any()
    assert not region_mask(face() * np.nan, "face", SIZE_PX).any()
    half = region_mask(face(shift=(-48, 0)), "face", SIZE_PX)
    assert half[:, 0].any()
    assert not half[:, 50:].any()


def test_the_mean_over_an_empty_mask_is_no_number() -> None:
    maps = np.arange(8.0).reshape(2, 2, 2)
    masks = np.array([[[True, True], [False, True]], [[False, False], [False, False]]])
    assert masked_mean(maps, masks)[0] == pytest.approx(4 / 3)
    assert np.isnan(masked_mean(maps, masks)[1])


class GivenLandmarks:
    """Finds the points it was told, by the colour of a frame's first pixel."""

    key = "given"
    width = 136

    def __init__(self, *points: np.ndarray) -> None:
        self.points = points

    def extract(self, frames: Frames, _cache: FeatureCache) -> np.ndarray:
        return np.stack([self.points[pixels[0, 0, 0]].ravel() for pixels in frames.pixels])


def psnr_at(region: Region, *points: np.ndarray) -> RegionMetric:
    return RegionMetric(at(PSNR, region), "key", region, GivenLandmarks(*points), psnr_within)


def frames_of(*numbers: int) -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 256, (len(numbers), SIZE_PX, SIZE_PX, 3)).astype(np.uint8)
    pixels[:, 0, 0, 0] = numbers
    return pixels


@pytest.mark.parametrize("region", REGIONS)
def test_the_background_has_no_part_in_the_score(region: Region) -> None:
    target = frames_of(0)
    generated = np.where(np.random.default_rng(1).random(target.shape) < 0.5, target, 128).astype(np.uint8)
    mask = region_mask(face(), region, SIZE_PX)[None, ..., None]
    with_background = np.where(mask, generated, target)
    metric = psnr_at(region, face())
    found = [
        metric.score(Frames.of(one), Frames.of(target), FeatureCache()).values[0]
        for one in (generated, with_background)
    ]
    assert found[0] == found[1]
    assert psnr(with_background, target)[0] > psnr(generated, target)[0] + 1
    gaps = (generated.astype(np.float64) - target)[np.broadcast_to(mask, target.shape)]
    assert found[0] == pytest.approx(10 * np.log10(255**2 / np.mean(gaps**2)))


def test_targets_without_face_or_region_are_left_out_for_all_alike() -> None:
    target = Frames.of(frames_of(0, 1, 2))
    metric = psnr_at("mouth", face(), face() * np.nan, face(shift=(0, 60)))
    measured = metric.score(target, target, FeatureCache())
    assert measured.statuses == ("ok", "target_no_face", "target_no_region")
    assert measured.values[0] == 100
    assert np.isnan(measured.values[1:]).all()


def test_the_whole_picture_as_a_region_gives_the_whole_metric() -> None:
    one, other = frames_of(0, 1), frames_of(1, 0)[::-1]
    other = np.clip(other * 0.8 + 20, 0, 255).astype(np.uint8)
    everything, sides = np.ones((2, SIZE_PX, SIZE_PX), bool), (Frames.of(one), Frames.of(other))
    assert masked_mean(ssim_maps(one, other), everything[:, 5:-5, 5:-5]) == pytest.approx(ssim(one, other), abs=1e-12)
    assert absolute_error_within(*sides, everything) == pytest.approx(l1(one, other), abs=1e-12)
    assert psnr_within(*sides, everything) == pytest.approx(psnr(one, other), abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("trunk", ["alex", "vgg"])
def test_lpips_in_a_region_is_the_mean_of_the_packages_own_map(trunk: str) -> None:
    import torch

    from eval.metrics.perceptual import Lpips

    metric = Lpips.load(fetch({"alex": "lpips-alexnet", "vgg": "lpips-vgg16"}[trunk]), trunk)
    photo = skimage.data.astronaut()
    target = np.stack([photo[y : y + SIZE_PX, x : x + SIZE_PX] for y, x in ((0, 180), (100, 60))])
    generated = np.clip(target + np.random.default_rng(0).normal(0, 25, target.shape), 0, 255).astype(np.uint8)
    masks = np.stack([region_mask(face(), "mouth", SIZE_PX), region_mask(face(), "face", SIZE_PX)])
    metric.network.spatial = True
    sides = [torch.from_numpy(side).permute(0, 3, 1, 2) / 127.5 - 1 for side in (generated, target)]
    with torch.inference_mode():
        maps = metric.network(*sides)[:, 0].numpy()
    expected = [float(one[mask].mean()) for one, mask in zip(maps, masks, strict=True)]
    assert metric.within(Frames.of(generated), Frames.of(target), masks) == pytest.approx(expected, abs=1e-6)


def test_specifications_say_which_region_and_over_which_networks() -> None:
    spec = at(PSNR, "mouth")
    assert (spec.id, spec.title, spec.tier) == ("psnr@mouth", "PSNR mouth", "default")
    assert "points 48 to 67" in spec.preparation
    assert set(spec.weights) == {"blazeface-short", "blazeface-full-sparse", "facemesh-468"}
    assert (spec.range, spec.unit, spec.worst) == (PSNR.range, PSNR.unit, PSNR.worst)
