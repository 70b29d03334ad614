"""The dataset card: a README that people read and whose header Hugging Face reads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dataset_info import DatasetInfo
from pipeline.licences import LicenceUse, licence_address, shortened
from pipeline.schema import hugging_face_features
from pipeline.sound_shard import sound_features

SIZE_CATEGORIES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card_text(info: DatasetInfo, licences: Sequence[LicenceUse]) -> str:
    """Return the card as Markdown with a YAML header (written as JSON, which is YAML too)."""
    return f"---\n{json.dumps(_header(info), indent=1)}\n---\n\n{_body(info, licences)}"


def _header(info: DatasetInfo) -> dict[str, object]:
    size = next((name for limit, name in SIZE_CATEGORIES if info.frames < limit), "1M<n<10M")
    return {
        "pretty_name": info.title,
        "license": "other",
        "task_categories": ["image-to-video"],
        "tags": ["talking head", "faces", "landmarks"],
        "size_categories": [size],
        **_configs(info),
    }


def _configs(info: DatasetInfo) -> dict[str, object]:
    """Return where the frames are and, where it was asked for, the sound."""
    frames = [_Files(split=shard.split, rows=shard.rows, size_bytes=shard.size_bytes) for shard in info.shards]
    of_frames, about_frames = _config("default", "data", frames, hugging_face_features())
    if info.sound is None:
        return {"configs": [of_frames], "dataset_info": about_frames}
    sounds = [
        _Files(split=shard.split, rows=shard.audio.rows, size_bytes=shard.audio.size_bytes)
        for shard in info.shards
        if shard.audio is not None
    ]
    of_sound, about_sound = _config("audio", "audio", sounds, sound_features())
    return {
        "configs": [{**of_frames, "default": True}, of_sound],
        "dataset_info": [{"config_name": "default", **about_frames}, {"config_name": "audio", **about_sound}],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    split: str
    rows: int
    size_bytes: int


def _config(
    name: str, folder: str, files: Sequence[_Files], features: dict[str, dict[str, object]]
) -> tuple[dict[str, object], dict[str, object]]:
    """Return one table of the dataset: where its files are, and what is in them."""
    splits = sorted({file.split for file in files if file.rows})
    where: dict[str, object] = {
        "config_name": name,
        "data_files": [{"split": split, "path": f"{folder}/{split}-*.parquet"} for split in splits],
    }
    what: dict[str, object] = {
        "features": [{"name": column, **_yaml_feature(kind)} for column, kind in features.items()],
        "splits": [
            {
                "name": split,
                "num_examples": sum(file.rows for file in files if file.split == split),
                "num_bytes": sum(file.size_bytes for file in files if file.split == split),
            }
            for split in splits
        ],
    }
    return where, what


def _yaml_feature(kind: dict[str, object]) -> dict[str, object]:
    match kind:
        case {"_type": "Image"}:
            return {"dtype": "image"}
        case {"_type": "Audio"}:
            return {"dtype": "audio"}
        case {"_type": "List", "feature": {"dtype": dtype}, "length": length}:
            return {"list": dtype, "length": length}
        case _:
            return {"dtype": kind["dtype"]}


def _body(info: DatasetInfo, licences: Sequence[LicenceUse]) -> str:
    config = info.config
    terms = [
        (_linked(use.licence), use.clips, f"{use.frames:,}", use.people, shortened(use.credits)) for use in licences
    ]
    weights = [(weight.title, weight.licence, f"`{weight.sha256[:12]}`") for weight in info.weights]
    splits = [(split, info.identities_per_split[split], info.clips_per_split[split]) for split in info.clips_per_split]
    return "\n".join(
        [
            f"# {info.title}",
            "",
            info.description,
            "",
            f"{info.frames:,} frames of {info.clips} clips, {config.size_px} x {config.size_px} pixels, at most "
            f"{config.fps:g} frames per second; {info.usable_frames:,} of them with a face and 68 landmarks "
            f"(`{info.scheme}`). Made by headshot from the manifest `{info.manifest_sha256[:12]}`.",
            "",
            "One row per frame; `ok` says whether a face was found. `landmarks` are 68 pairs x, y in pixels of the "
            "crop; `box` and `crop` belong to the source frame.",
            "",
            _table(("split", "people", "clips"), splits),
            "",
            *_about_sound(info),
            "## Licences",
            "",
            "These pictures show real people. The terms of each clip are in `index.parquet`. Who wants to be left out, "
            "is: `headshot takedown`.",
            "",
            _table(("licence", "clips", "frames", "people", "credit"), terms),
            "",
            "## Networks used",
            "",
            _table(("network", "licence", "sha256"), weights),
            "",
            "## Clips left out",
            "",
            _table(("reason", "clips"), tuple(info.rejects_by_reason.items())) if info.rejects_by_reason else "None.",
            "",
            "Which ones, and the details, are in `rejects.parquet`. Faces and distributions are on the page "
            "`statistics.html`.",
            "",
        ]
    )


def _about_sound(info: DatasetInfo) -> list[str]:
    if info.sound is None:
        return []
    flaws = ", ".join(f"{count} x `{flaw}`" for flaw, count in info.sound.flaws.items())
    return [
        f"## Sound\n\n{info.sound.clips} of {info.clips} clips have sound, {info.sound.seconds / 60:,.1f} minutes in "
        "all: one row per clip in `audio/`, as FLAC, cut to the time of its frames. `start_s` is the time of the first "
        "sample, counted from the first frame of the clip; what was not recorded is not there, and nothing is padded."
        + (f" No sound, or sound that ends early: {flaws}." if flaws else ""),
        "",
    ]


def _linked(licence: str) -> str:
    address = licence_address(licence)
    return f"[{licence}]({address})" if address else licence


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
