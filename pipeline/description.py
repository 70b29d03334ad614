"""The files that describe a dataset as a whole, written when its shards are done."""

from collections.abc import Sequence

from pipeline.card import card_text
from pipeline.croissant import croissant_text
from pipeline.dataset_info import DatasetInfo
from pipeline.index import write_index
from pipeline.layout import DatasetLayout
from pipeline.licences import licence_uses
from pipeline.records import ShardRecord
from weights.files import publish_text


def write_description(layout: DatasetLayout, info: DatasetInfo, records: Sequence[ShardRecord]) -> None:
    """Write index, rejects, card, Croissant description and, last of all, `dataset.json`."""
    licences = licence_uses(
        (clip.clip.licence, clip.clip.identity, clip.frames, clip.clip.credit)
        for record in records
        for clip in record.clips
    )
    write_index(layout, records, audio=info.config.audio)
    publish_text(layout.card, card_text(info, licences))
    publish_text(layout.croissant, croissant_text(layout, info, licences))
    publish_text(layout.info, info_text(info))


def info_text(info: DatasetInfo) -> str:
    """Return `dataset.json` as it is written."""
    return info.model_dump_json(indent=1) + "\n"
