"""The version of a dataset's format: what another version wrote is refused, with what to do about it."""

import json
from typing import Final, TypeVar

from pydantic import ValidationError

from manifests.schema import Record
from weights.errors import HeadshotError

SCHEMA_VERSION: Final = 4
"""Of all files of a dataset together: columns, index, records, plan. It goes up whenever one of them changes, because
what one version lacks another would fill with defaults that were never true. It stays where what an older dataset lacks
is read as that: it has no pictures of rejects, and does not say whether any were asked for."""

AnyRecord = TypeVar("AnyRecord", bound=Record)


def parse(kind: type[AnyRecord], text: bytes, where: str) -> AnyRecord:
    """Return a record that describes a dataset.

    Args:
        kind: What it is.
        text: JSON.
        where: Its file, for the message.

    Raises:
        HeadshotError: Another version of headshot wrote it, or it is damaged.
    """
    try:
        content = json.loads(text)
        found = content.get("schema_version") if isinstance(content, dict) else None
        if isinstance(found, int) and found != SCHEMA_VERSION:
            raise HeadshotError(f"{where} is in format {found}, and this version of headshot {_way_out(found)}")
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        detail = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except ValueError as error:  # not JSON, or not text
        detail = str(error)
    raise HeadshotError(
        f"{where} is damaged ({detail}); restore it, or make the dataset again with `headshot preprocess` and --replace"
    )


def _way_out(found: int) -> str:
    reads = f"reads format {SCHEMA_VERSION}"
    if found > SCHEMA_VERSION:
        return f"{reads}: install the newer version that wrote it"
    return (
        f"{reads}: make the dataset again with the `headshot preprocess` command that made it and --replace, or go on "
        "with the older version"
    )
