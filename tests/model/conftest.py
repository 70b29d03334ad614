"""A drawn person whose landmarks are known, and a stand-in for the store that serves such people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from model.baseline_presets import PIX2PIXHD_COMPACT, X2FACE_COMPACT, Pix2pixHDPreset, X2FacePreset
from model.checkpoint import AnyPreset, CheckpointConfig, Execution, Networks, Parts, TrainingClip, save
from model.content import ContentLoss
from model.network_config import NetworkConfig
from model.presets import Preset, preset
from model.vgg import SPECS, Vgg

SIZE_PX = 64


def face_points(shift: tuple[float, float] = (0, 0), mouth: float = 2.0) -> np.ndarray:
    """Return 68 landmarks of a schematic face in a 64 px image."""
    angles = np.linspace(np.pi, 0, 17)
    jaw = np.stack([32 + 20 * np.cos(angles), 30 + 24 * np.sin(angles)], axis=1)
    brows = [(16 + 3 * i, 20) for i in range(5)] + [(36 + 3 * i, 20) for i in range(5)]
    nose = [(32, 26 + 3 * i) for i in range(4)] + [(28 + 2 * i, 38) for i in range(5)]
    ring = np.linspace(np.pi, -np.pi, 7)[:6]
    eyes = [(x + 4 * np.cos(a), 26 - 2 * np.sin(a)) for x in (22, 42) for a in ring]
    outer = [(32 + 9 * np.cos(a), 45 - (mouth + 2) * np.sin(a)) for a in np.linspace(np.pi, -np.pi, 13)[:12]]
    inner = [(32 + 6 * np.cos(a), 45 - mouth * np.sin(a)) for a in np.linspace(np.pi, -np.pi, 9)[:8]]
    points = np.concatenate([jaw, np.array(brows + nose + eyes + outer + inner)])
    return (points + np.array(shift)).astype(np.float32)


def with_irises(points: np.ndarray, look_px: float) -> np.ndarray:
    """Return 70 points: the landmarks and both irises, so far to the right of the middle of the eye."""
    eyes = np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0)]) + np.array([look_px, 0])
    return np.concatenate([points, eyes.astype(np.float32)])


def face_image(points: np.ndarray, skin: tuple[int, int, int], size_px: int = SIZE_PX) -> np.ndarray:
    """Paint a face with these landmarks on a background that belongs to the person."""
    image = np.full((size_px, size_px, 3), [255 - c for c in skin], np.uint8)
    cv2.fillPoly(image, [np.rint(points[:17]).astype(np.int32)], skin)
    for part in (slice(36, 42), slice(42, 48), slice(60, 68)):
        cv2.fillPoly(image, [np.rint(points[part]).astype(np.int32)], (30, 30, 30))
    return image


@dataclass
class DrawnClip:
    """A clip of one drawn person who moves and talks."""

    identity: str
    skin: tuple[int, int, int]
    frames: int = 12
    split: str = "train"
    licence: str = "CC0"
    consent: str = "drawn"
    credit: str = "tests"
    source_url: str = ""
    points: np.ndarray = field(init=False)
    images: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        phase = np.linspace(0, 2 * np.pi, self.frames, endpoint=False)
        self.points = np.stack([face_points((4 * np.sin(p), 2 * np.cos(p)), 1 + 3 * np.sin(p) ** 2) for p in phase])
        self.images = np.stack([face_image(points, self.skin) for points in self.points])

    @property
    def key(self) -> str:
        """Clip key."""
        return f"{self.identity}/drawn/full"

    def __len__(self) -> int:
        return self.frames

    def read(self, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Serve as a frame source of episodes."""
        return self.images[list(positions)], self.points[list(positions)]


class DrawnStore:
    """Serves drawn clips through the part of the store's interface that training uses."""

    root = Path("drawn")
    sha256 = "d" * 64

    def __init__(self, clips: Sequence[DrawnClip]) -> None:
        self.clips = tuple(clips)
        self.info = SimpleNamespace(name="drawn", manifest_sha256="0" * 64, config=SimpleNamespace(size_px=SIZE_PX))

    def with_irises(self) -> "DrawnStore":
        """The same people; their irises go from left to right."""
        return _LookingStore(self.clips)

    def usable_rows(self, clip: DrawnClip) -> np.ndarray:
        """All rows."""
        return np.arange(clip.frames)

    def frames(self, clip: DrawnClip, rows: Sequence[int], size_px: int | None = None) -> np.ndarray:
        """Frames."""
        assert size_px in (None, SIZE_PX)
        return clip.images[list(rows)]

    def landmarks(self, clip: DrawnClip, rows: Sequence[int], size_px: int | None = None) -> np.ndarray:
        """Landmarks."""
        assert size_px in (None, SIZE_PX)
        return clip.points[list(rows)]


class _LookingStore(DrawnStore):
    def landmarks(self, clip: DrawnClip, rows: Sequence[int], size_px: int | None = None) -> np.ndarray:
        points = super().landmarks(clip, rows, size_px)
        looks = np.linspace(-2, 2, clip.frames)[list(rows)]
        return np.stack([with_irises(face, look) for face, look in zip(points, looks, strict=True)])


@pytest.fixture(scope="session")
def tiny() -> Preset:
    return preset("tiny")


@pytest.fixture(scope="session")
def small_zakharov() -> Preset:
    """The paper's layout and losses at 64 px and with few channels, on the content network that tests have."""
    large = preset("zakharov-256-v2").varied(embedded_content=True)
    channels = (8, 16, 32, 32)
    network = NetworkConfig.model_validate(
        large.network.model_dump()
        | {
            "size_px": 64,
            "identity_embedding": 32,
            "generator_channels": channels[:3],
            "bottleneck_blocks": 1,
            "embedder_channels": channels,
            "discriminator_channels": channels,
            "attention_down_px": 16,
            "attention_up_px": 32,
        }
    )
    schedule = large.meta_learning.model_copy(update={"steps": 4, "batch": 2, "shots": 2})
    return large.model_copy(update={"network": network, "meta_learning": schedule})


def small_x2face() -> X2FacePreset:
    """Return the learned warp at 64 px, in a size for tests."""
    channels = (8, 16, 24)
    network = X2FACE_COMPACT.network.model_copy(
        update={"size_px": SIZE_PX, "embedding_channels": channels, "driving_channels": channels}
    )
    schedule = X2FACE_COMPACT.meta_learning.model_copy(
        update={"steps": 6, "batch": 2, "warmup_steps": 2, "checkpoint_every": 4}
    )
    return X2FACE_COMPACT.model_copy(update={"network": network, "meta_learning": schedule})


def small_pix2pixhd() -> Pix2pixHDPreset:
    """Return the landmark-to-image baseline at 64 px, in a size for tests."""
    network = PIX2PIXHD_COMPACT.network.model_copy(
        update={
            "size_px": SIZE_PX,
            "generator_channels": (8, 16, 24),
            "residual_blocks": 1,
            "discriminator_channels": (8, 16),
        }
    )
    schedule = PIX2PIXHD_COMPACT.meta_learning.model_copy(
        update={"steps": 6, "batch": 2, "warmup_steps": 2, "checkpoint_every": 4}
    )
    tuning = PIX2PIXHD_COMPACT.fine_tuning.model_copy(
        update={"epochs": 2, "batch": 2, "fewest_iterations": 2, "most_iterations": 6}
    )
    return PIX2PIXHD_COMPACT.model_copy(update={"network": network, "meta_learning": schedule, "fine_tuning": tuning})


@pytest.fixture
def people() -> list[DrawnClip]:
    return drawn_people()


def drawn_people() -> list[DrawnClip]:
    """Return three people to train on."""
    return [DrawnClip("ada", (200, 150, 120)), DrawnClip("bob", (120, 90, 60)), DrawnClip("cy", (90, 160, 200))]


@pytest.fixture
def drawn_store(people: list[DrawnClip]) -> DrawnStore:
    return DrawnStore(people)


@pytest.fixture(scope="session")
def random_weight_content() -> ContentLoss:
    """The content network with random weights: for tests of mechanics, not of quality."""
    return random_content()


def random_content() -> ContentLoss:
    """Return a content network with random weights."""
    generator = torch.Generator().manual_seed(0)
    shapes = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128)}
    state = {}
    for index, (outputs, inputs) in shapes.items():
        scale = (2 / (9 * inputs)) ** 0.5
        state[f"features.{index}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=generator) * scale
        state[f"features.{index}.bias"] = torch.zeros(outputs)
    return ContentLoss([(Vgg(SPECS["vgg16"], state), 1.0)])


def stand_in_content(patch: pytest.MonkeyPatch, content: ContentLoss, folder: Path) -> None:
    """Let a content network stand in for the one that would be downloaded."""
    file = folder / "random-weights"
    file.write_bytes(b"random")
    patch.setattr("model.content.fetch", lambda _: file)
    patch.setattr(ContentLoss, "pretrained", classmethod(lambda *_: content))


def write_checkpoint(folder: Path, preset: AnyPreset, networks: Parts, person: str = "zoe") -> Path:
    """Write a checkpoint of networks that saw one clip of one person, and return its folder."""
    clip = TrainingClip(
        key=f"{person}/video/1",
        identity=person,
        usable_frames=60,
        licence="CC0-1.0",
        consent="drawn",
        credit="",
        source_url="",
    )
    config = CheckpointConfig(
        preset=preset,
        steps=0,
        seed=0,
        execution=Execution(device="CPU", precision="float32", processes=1, accumulate=1, compiled=False),
        dataset="drawn",
        dataset_sha256="d" * 64,
        manifest_sha256="a" * 64,
        dataset_size_px=64,
        clips=(clip,),
        weights={},
        headshot_version="0",
        torch_version=torch.__version__,
    )
    save(folder, networks, config)
    return folder


def write_tiny(folder: Path, person: str = "zoe") -> Path:
    """Write a checkpoint with the first weights of the tiny preset: enough to see that frames come out."""
    torch.manual_seed(0)
    tiny = preset("tiny")
    return write_checkpoint(folder, tiny, Networks(tiny, clips=1), person)
