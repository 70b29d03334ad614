"""The dataset card: a README that people read and whose header Hugging Face reads."""

import json
from collections.abc import Sequence

from pipeline.dataset_info import DatasetInfo
from pipeline.licences import LicenceUse, licence_address, shortened
from pipeline.schema import hugging_face_features

SIZE_CATEGORIES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card_text(info: DatasetInfo, licences: Sequence[LicenceUse]) -> str:
    """Return the card as Markdown with a YAML header (written as JSON, which is YAML too)."""
    return f"---\n{json.dumps(_header(info), indent=1)}\n---\n\n{_body(info, licences)}"


def _header(info: DatasetInfo) -> dict[str, object]:
    splits = sorted({shard.split for shard in info.shards if shard.rows})
    size = next((name for limit, name in SIZE_CATEGORIES if info.frames < limit), "1M<n<10M")
    return {
        "pretty_name": info.title,
        "license": "other",
        "task_categories": ["image-to-video"],
        "tags": ["talking head", "faces", "landmarks"],
        "size_categories": [size],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits],
            }
        ],
        "dataset_info": {
            "features": [{"name": name, **_yaml_feature(kind)} for name, kind in hugging_face_features().items()],
            "splits": [
                {
                    "name": split,
                    "num_examples": sum(shard.rows for shard in info.shards if shard.split == split),
                    "num_bytes": sum(shard.size_bytes for shard in info.shards if shard.split == split),
                }
                for split in splits
            ],
        },
    }


def _yaml_feature(kind: dict[str, object]) -> dict[str, object]:
    match kind:
        case {"_type": "Image"}:
            return {"dtype": "image"}
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


def _linked(licence: str) -> str:
    address = licence_address(licence)
    return f"[{licence}]({address})" if address else licence


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
