"""CelebV-HQ: one JSON file with times in seconds, boxes as fractions and 83 attributes of each clip."""

from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from manifests.corpus import (
    Entries,
    Terms,
    annotation_files,
    attempt,
    fractions,
    stretch,
    youtube_url,
)
from manifests.names import safe_name
from manifests.schema import Clip, FileSource
from manifests.videos import Videos
from weights.errors import HeadshotError

PATTERN = "celebvhq_info.json"
LICENCE = "for non-commercial research, as the corpus asks; the videos are other people's"
OWN_ATTRIBUTES = ("Male", "Young")
"""These are attributes of their own, `1` or `0`; of the others those that hold are listed."""


class _Duration(BaseModel):
    start_sec: float
    end_sec: float


class _Box(BaseModel):
    top: float
    bottom: float
    left: float
    right: float


class _EmotionLabel(BaseModel):
    emotion: str


class _Emotion(BaseModel):
    labels: str | list[_EmotionLabel]


class _Attributes(BaseModel):
    appearance: list[int] = []
    action: list[int] = []
    emotion: _Emotion | None = None


class _Entry(BaseModel):
    ytb_id: str
    duration: _Duration
    bbox: _Box
    attributes: _Attributes = _Attributes()


class _Meta(BaseModel):
    appearance_mapping: list[str] = []
    action_mapping: list[str] = []


class _File(BaseModel):
    meta_info: _Meta = _Meta()
    clips: dict[str, Any]


def read_celebvhq(root: Path, videos: Videos, terms: Terms) -> Entries:
    """Yield the clips of `celebvhq_info.json`.

    The corpus does not say who is who. Its clips of one video mostly show one person, so the video stands for the
    person: a split may then part two clips of a person from different videos, but never two of one video.

    Args:
        root: The file, or a folder that holds it.
        videos: Whole videos `<YouTube id>.mp4`; or else the clips cut and cropped (`M2Ohb0FAaJU_1.mp4`), which are
            taken whole.
        terms: Of all clips.

    Raises:
        HeadshotError: There is no such file, or it is not that JSON.
    """
    for path in annotation_files(root, PATTERN):
        try:
            content = _File.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise HeadshotError(f"{path} is not the JSON of CelebV-HQ: {error.errors()[0]['msg']}") from error
        for name, entry in content.clips.items():
            yield attempt(f"{path}:{name}", partial(_clip, name, entry, content.meta_info, videos, terms))


def _clip(name: str, content: Any, meta: _Meta, videos: Videos, terms: Terms) -> Clip:
    entry = _Entry.model_validate(content)
    start_s, end_s = stretch(entry.duration.start_sec, entry.duration.end_sec)
    box = entry.bbox
    whole = videos.find(entry.ytb_id)
    cut = None if whole else videos.find(name)
    return Clip(
        identity=safe_name(entry.ytb_id),
        video=safe_name(entry.ytb_id),
        clip=safe_name(name),
        source=FileSource(path=cut or whole or f"{entry.ytb_id}.mp4"),
        start_s=0.0 if cut else start_s,
        end_s=end_s - start_s if cut else end_s,
        face_box=None if cut else fractions((box.left, box.top, box.right, box.bottom), 1.0, 1.0),
        split="train",
        licence=terms.licence or LICENCE,
        consent=terms.consent,
        credit=terms.credit,
        source_url=youtube_url(entry.ytb_id),
        attributes=_attributes(entry.attributes, meta),
    )


def _attributes(given: _Attributes, meta: _Meta) -> dict[str, str]:
    appearance = _flags(given.appearance, meta.appearance_mapping)
    action = _flags(given.action, meta.action_mapping)
    found = {name.lower(): str(int(appearance[name])) for name in OWN_ATTRIBUTES if name in appearance}
    found["appearance"] = " ".join(name for name, holds in appearance.items() if holds and name not in OWN_ATTRIBUTES)
    found["action"] = " ".join(name for name, holds in action.items() if holds)
    labels = given.emotion.labels if given.emotion else ""
    found["emotion"] = labels if isinstance(labels, str) else " ".join(dict.fromkeys(label.emotion for label in labels))
    return {name: value for name, value in found.items() if value}


def _flags(values: list[int], names: list[str]) -> dict[str, bool]:
    if values and len(values) != len(names):
        raise ValueError(f"{len(values)} attributes, but {len(names)} names for them")
    return {name: bool(value) for name, value in zip(names, values, strict=False)}
