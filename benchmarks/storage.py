"""What a dataset takes on disk besides its images: `python -m benchmarks.storage --data data/demo`."""

import argparse
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from headshot.console import out, table
from pipeline.layout import DatasetLayout
from pipeline.offsets import IMAGE_BYTES


def main() -> None:
    """Print the size of every column and of every other file, as a share of the images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="folder of the dataset")
    data = parser.parse_args().data
    columns, rows = column_bytes(data)
    images = columns.pop(IMAGE_BYTES)
    others = file_bytes(data)
    others["data (footers, page indexes)"] = others.pop("data") - sum(columns.values()) - images
    parts = columns + others

    results = table(f"{data}: {rows:,} frames", "part", "bytes", "bytes a frame", "share of the images")
    for name, size in [(IMAGE_BYTES, images), *parts.most_common(), ("all besides the images", parts.total())]:
        results.add_row(name, f"{size:,}", f"{size / rows:,.2f}", f"{size / images:.3%}")
    out.print(results)


def column_bytes(data: Path) -> tuple[Counter[str], int]:
    """Return the stored size of every column over all shards, and the number of rows."""
    sizes: Counter[str] = Counter()
    rows = 0
    for path in sorted(DatasetLayout(data).shard("x").parent.glob("*.parquet")):
        about = pq.read_metadata(path)
        rows += about.num_rows
        for group in map(about.row_group, range(about.num_row_groups)):
            for column in map(group.column, range(about.num_columns)):
                sizes[column.path_in_schema] += column.total_compressed_size
    return sizes, rows


def file_bytes(data: Path) -> Counter[str]:
    """Return the size of all files by folder, those at the root by name."""
    sizes: Counter[str] = Counter()
    for path in data.rglob("*"):
        if path.is_file():
            sizes[path.relative_to(data).parts[0]] += path.stat().st_size
    return sizes


if __name__ == "__main__":
    main()
