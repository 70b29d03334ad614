"""A shard without one person: the row groups of the others, column by column as they are."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.follow import BATCH_FRAMES
from pipeline.shard_writer import parquet_options

PLAN_KEY = b"headshot.plan_sha256"
Options = Callable[[pa.Schema], Mapping[str, Any]]


def plan_in(path: Path) -> str | None:
    """Return the hash of the plan that a shard file names, None where it cannot be read."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (pa.ArrowInvalid, OSError):
        return None
    return bytes(metadata.get(PLAN_KEY, b"")).decode()


def people_in(path: Path) -> set[str] | None:
    """Return who is in a shard file, None where it cannot be read."""
    try:
        return set(pq.read_table(path, columns=["identity"])["identity"].to_pylist())
    except (pa.ArrowInvalid, OSError):
        return None


def write_without(
    source: Path, identity: str, path: Path, plan_sha256: str, options: Options = parquet_options
) -> None:
    """Write the shard `source`, or the sound beside one, without the rows of a person to `path`.

    Whatever columns there are stay; so do the bytes of each picture and sound. A row group holds one clip, hence one
    person. The result is the same where the person is in `source` no more, and the same as if the shard had been made
    from videos without the person.

    Args:
        source: A shard.
        identity: Who is left out.
        path: Where to write.
        plan_sha256: Hash of the shard's new plan.
        options: How columns are stored, as `pq.ParquetWriter` takes it.
    """
    with pq.ParquetFile(source) as parquet:
        found = parquet.schema_arrow
        schema = pa.schema(
            [field.with_type(_as_declared(field.type)) for field in found],
            metadata={**(found.metadata or {}), PLAN_KEY: plan_sha256.encode()},
        )
        with pq.ParquetWriter(path, schema, **options(schema)) as writer:
            for group in range(parquet.num_row_groups):
                if parquet.read_row_group(group, columns=["identity"])["identity"][0].as_py() == identity:
                    continue
                rows = parquet.read_row_group(group).cast(schema)
                # In batches as they were first written, or all pictures of a clip would end up in one page.
                batches = [rows.slice(start, BATCH_FRAMES) for start in range(0, len(rows), BATCH_FRAMES)]
                writer.write_table(pa.concat_tables(batches), row_group_size=len(rows))


def _as_declared(kind: pa.DataType) -> pa.DataType:
    """Return the type of a column before Parquet gave the values of lists a name of its own."""
    return pa.list_(kind.value_type, kind.list_size) if pa.types.is_fixed_size_list(kind) else kind
