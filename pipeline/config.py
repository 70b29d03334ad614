"""What `preprocess` is asked to do; written into every dataset it makes."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from manifests.schema import Record
from pipeline.versions import SCHEMA_VERSION

Positive = Annotated[int, Field(gt=0)]
Backend = Literal["mesh468", "fan", "dlib", "none"]
DetectorName = Literal["blazeface", "scrfd"]
CropMode = Literal["tube", "smooth", "ffhq"]
Fraction = Annotated[float, Field(ge=0, le=1)]


class PipelineConfig(Record):
    """Every choice that can change the bytes of a shard, and the limits of a clip."""

    schema_version: Literal[4] = SCHEMA_VERSION

    size_px: Annotated[int, Field(ge=32, le=2048)] = 256
    """Side of the stored square crop."""
    fps: Annotated[float, Field(gt=0, le=240)] = 25.0
    """Frame rate after resampling. A slower source keeps its own frames: none is ever repeated."""
    image_format: Literal["jpeg", "png", "webp"] = "jpeg"
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 95
    """Chroma is kept at full resolution (4:4:4)."""

    backend: Backend = "mesh468"
    """What finds faces and landmarks. `fan` and `dlib` follow faces as `mesh468` does and find the stored points
    with a network of their own. `none` asks no network: the crop is the manifest's `face_box`, and no landmarks are
    stored."""
    detector: DetectorName = "blazeface"
    """What searches whole pictures for faces. `scrfd` is insightface's; its weights are for research only."""
    follow_px: Positive = 960
    """Faces are followed in a picture shrunk by a whole number, as far as its longer side stays at least this long."""
    gaze: bool = False
    """Find the irises too, and where they look; takes about as long again as following the face."""
    identity_every: Annotated[int, Field(ge=0)] = 0
    """Compare every so many slots whether it is still the same person; 0 for never."""
    detect_every: Positive = 10
    """Frames between two searches of the whole picture; in between, known faces are followed."""
    max_faces: Positive = 4
    """People followed at the same time, the largest first."""
    max_outside: Fraction = 0.2
    """A face with a larger share of its points outside the picture counts as lost."""
    relink_s: Annotated[float, Field(ge=0)] = 2.0
    """A face found again at the same place within this time is the same person."""
    cut_threshold: Annotated[float, Field(gt=0, le=255)] = 40.0
    """Mean change of grey level from one frame to the next that makes a scene cut. Faces are not followed across
    cuts, so a clip with cuts keeps its best scene, and others where `recognise` finds the same person."""
    recognise: bool = True
    """Compare faces by embedding where place alone cannot tell who is who: across cuts, sudden changes of the picture
    and absences. Clips in which nobody comes and goes are not compared."""

    audio: bool = False
    """Keep the sound of each clip beside its shard."""

    crop_mode: CropMode = "tube"
    """`tube`: one square per clip around everything the head does. `smooth`: a square that follows the head without
    jitter. `ffhq`: FFHQ's alignment by eyes and mouth, one for the clip."""
    smooth_s: Annotated[float, Field(gt=0)] = 0.4
    """Standard deviation in time of the Gaussian that smooths the crop of `smooth`."""
    margin_top: Annotated[float, Field(ge=0)] = 0.45
    """Room around the face box, as a fraction of its height (top, bottom) or width (side)."""
    margin_bottom: Annotated[float, Field(ge=0)] = 0.25
    margin_side: Annotated[float, Field(ge=0)] = 0.35

    min_frames: Positive = 25
    """A clip with fewer usable frames is rejected."""
    min_face_px: Annotated[float, Field(ge=0)] = 32.0
    """A clip whose median face is smaller (in source pixels) is rejected."""
    min_usable: Fraction = 0.5
    """A clip is rejected if the face is found in a smaller share of its frames."""
    ambiguous_size: Fraction = 0.6
    """Without a hint, a second person whose face is at least this large beside the first makes a clip ambiguous."""
    ambiguous_time: Fraction = 0.5
    """... if they are seen together for at least this share of the time."""
    ambiguous_share: Fraction = 0.6
    """... or if frames times size of the second person's face come to at least this share of the first's, together or
    by turns. Needs `recognise`."""

    shard_frames: Positive = 12_000
    """Aimed-at rows of a shard."""
    min_shards: Positive = 8
    """A split has at least this many shards (if it has the clips), so that small datasets run in parallel too."""
    assumed_clip_s: Annotated[float, Field(gt=0)] = 10.0
    """Length taken for clips whose end the manifest does not say, when shards are planned."""
    row_group_frames: Positive = 1024
    """Longer clips get several row groups, so that memory does not grow with the clip."""

    reject_pictures: Annotated[bool, Field(exclude=True)] = True
    """Keep a small picture of each clip that is left out. Neither written down nor hashed: it changes no shard, and
    turning it off must not make a dataset again."""

    clip_timeout_s: Annotated[float, Field(gt=0, exclude=True)] = 1800.0
    """A clip that takes longer is rejected. Limits are neither written down nor hashed: they change no clip that keeps
    them, and raising one must not make a dataset again."""
    clip_memory_mib: Annotated[int, Field(ge=64, exclude=True)] = 4096
    """A clip that takes more memory, beyond what its process has before, is rejected. Kept on Linux."""

    @property
    def recognises(self) -> bool:
        """Whether the recogniser may be needed."""
        return self.identity_every > 0 or (self.recognise and self.backend != "none")

    def sha256(self) -> str:
        """Return the hash of all fields but the limits and `reject_pictures`."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
