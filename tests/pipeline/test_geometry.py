"""Points stay on what they mark through crop, resize and rotation."""

import cv2
import numpy as np
import pytest

from pipeline.config import PipelineConfig
from pipeline.crop import Square, cut, tube
from pipeline.facemesh import Mesh, Region, head_pose_deg, region_of_mesh, region_to_picture
from pipeline.landmarks import five_points, interocular, nearest, rescale, transform
from pipeline.quality import sharpness


def blob(width: int, height: int, x: float, y: float, sigma: float = 6.0) -> np.ndarray:
    """Return a picture with a soft dot whose centre of mass is (x, y)."""
    across, down = np.arange(width), np.arange(height)[:, None]
    bump = np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * sigma**2))
    return np.repeat((bump * 255).round().astype(np.uint8)[..., None], 3, 2)


def centre_of(rgb: np.ndarray) -> np.ndarray:
    """Return the centre of mass in pixels."""
    weight = rgb[..., 0].astype(float)
    down, across = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(weight * across).sum(), (weight * down).sum()]) / weight.sum()


@pytest.mark.parametrize("square", [Square(left=40, top=30, side=120), Square(left=40, top=30, side=97)])
@pytest.mark.parametrize("size_px", [64, 128, 256])
def test_the_crop_affine_says_where_source_points_land(square: Square, size_px: int) -> None:
    picture = blob(240, 200, 92.0, 81.0)
    predicted = transform(np.array([[92.0, 81.0]]), square.affine(size_px))[0]
    assert centre_of(cut(picture, square, size_px)) == pytest.approx(predicted, abs=0.15)


def test_the_crop_affine_can_be_undone() -> None:
    affine = Square(left=-17, top=33, side=211).affine(128)
    points = np.random.default_rng(0).uniform(0, 300, (68, 2))
    inverse = cv2.invertAffineTransform(affine)
    np.testing.assert_allclose(transform(transform(points, affine), inverse), points, atol=1e-9)


@pytest.mark.parametrize(("from_px", "to_px"), [(256, 128), (128, 256), (256, 96)])
def test_rescaled_points_stay_on_the_resized_picture(from_px: int, to_px: int) -> None:
    point = np.array([[101.0, 66.0]]) * from_px / 256
    picture = blob(from_px, from_px, *point[0], sigma=from_px / 32)
    resized = cv2.resize(picture, (to_px, to_px), interpolation=cv2.INTER_AREA)
    assert centre_of(resized) == pytest.approx(rescale(point, from_px, to_px)[0], abs=0.15)
    np.testing.assert_allclose(rescale(rescale(point, from_px, to_px), to_px, from_px), point)


def test_what_lies_outside_the_frame_repeats_its_border_and_is_counted() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:, :10] = 200
    square = Square(left=-50, top=0, side=100)
    assert square.pad_fraction(100, 100) == 0.5
    crop = cut(picture, square, 100)
    assert (crop[:, :60] == 200).all()
    assert not crop[:, 60:].any()


def test_a_pattern_finer_than_the_crop_turns_grey_instead_of_aliasing() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = cut(stripes, Square(left=0, top=0, side=256), 64)
    assert crop.min() > 120
    assert crop.max() < 136


class TestTube:
    config = PipelineConfig()

    def boxes(self, *rows: tuple[float, float, float, float]) -> np.ndarray:
        return np.array(rows, np.float32)

    def test_contains_every_box_with_room_above_for_hair(self) -> None:
        boxes = self.boxes((300, 200, 400, 330), (340, 190, 440, 320))
        square = tube(boxes, 1280, 720, self.config)
        assert square.left < 300 - 20
        assert square.left + square.side > 440 + 20
        assert square.top < 190 - 0.4 * 130
        assert square.top + square.side > 330 + 0.2 * 130

    def test_moves_into_the_frame_rather_than_pad(self) -> None:
        square = tube(self.boxes((20, 10, 120, 140)), 640, 480, self.config)
        assert square.pad_fraction(640, 480) == 0

    def test_gives_up_margin_rather_than_pad(self) -> None:
        square = tube(self.boxes((200, 60, 420, 330)), 640, 360, self.config)
        assert square.side == 360
        assert square.pad_fraction(640, 360) == 0

    def test_keeps_the_face_even_if_it_leaves_the_frame(self) -> None:
        square = tube(self.boxes((100, -40, 300, 250)), 320, 240, self.config)
        assert square.top <= -40
        assert square.top + square.side >= 250
        assert square.pad_fraction(320, 240) > 0


def mesh_of(angle: float) -> Mesh:
    """Return a flat oval face, turned clockwise on the screen by `angle`."""
    around = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    flat = np.stack([60 * np.cos(around), 80 * np.sin(around)], axis=1)
    flat[33], flat[263], flat[10], flat[152] = (-30, -20), (30, -20), (0, -80), (0, 80)
    cos, sin = np.cos(angle), np.sin(angle)
    turned = flat @ np.array([[cos, sin], [-sin, cos]]) + (200, 150)
    return Mesh(vertices=np.column_stack([turned, np.zeros(468)]).astype(np.float32), score=1.0)


@pytest.mark.parametrize("angle", [0.0, 0.4, -1.0])
def test_the_region_of_a_mesh_is_turned_with_the_face(angle: float) -> None:
    region = region_of_mesh(mesh_of(angle))
    assert region.angle == pytest.approx(angle, abs=1e-5)
    assert region.centre == pytest.approx([200, 150], abs=0.1)
    assert region.side_px == pytest.approx(160 * 1.5, rel=1e-3)
    assert head_pose_deg(mesh_of(angle)) == pytest.approx([0, 0, np.degrees(angle)], abs=1e-3)


def test_a_face_whose_right_side_of_the_picture_recedes_has_positive_yaw() -> None:
    vertices = mesh_of(0.0).vertices.copy()
    vertices[:, 2] = (vertices[:, 0] - 200) * np.tan(np.radians(30))
    assert head_pose_deg(Mesh(vertices=vertices, score=1.0))[0] == pytest.approx(30, abs=0.1)


def test_a_turned_region_maps_onto_the_picture() -> None:
    """The middle stays the middle; the right edge of the input lies below the centre for a quarter turn."""
    affine = region_to_picture(Region(centre=np.array([50.0, 40.0]), side_px=20.0, angle=np.pi / 2), 192)
    assert transform(np.array([[95.5, 95.5]]), affine)[0] == pytest.approx([50, 40])
    assert transform(np.array([[191.5, 95.5]]), affine)[0] == pytest.approx([50, 50])


def test_named_distances_of_the_68_points() -> None:
    points = np.zeros((68, 2), np.float32)
    points[36], points[45] = (10, 20), (40, 60)
    points[36:42, 0] += 3
    points[30] = (25, 50)
    assert interocular(points) == pytest.approx(np.hypot(27, 40))
    assert five_points(points)[2] == pytest.approx([25, 50])
    assert five_points(points).shape == (5, 2)


def test_blur_lowers_sharpness() -> None:
    crop = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    box = np.array([30, 30, 100, 110], np.float32)
    values = [sharpness(cv2.GaussianBlur(crop, (0, 0), sigma), box) for sigma in (0.5, 1.5, 4.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 10 * values[2]


def test_nearest_is_by_the_mean_distance_of_points() -> None:
    one, other = np.zeros((1, 68, 2)), np.full((1, 68, 2), 10.0)
    driving = np.concatenate([one + 4, one + 6])
    assert nearest(driving, np.concatenate([one, other])).tolist() == [0, 1]
