"""Files that are either whole or absent: temporary name, fsync, rename."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY_MARK = ".partial-"
CHUNK_BYTES = 2**20


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place once the block ends without error.

    The data and the directory entry are synced to disk before and after the rename, so a crash leaves
    the old file or the new one, never a mixture. On error the temporary file is removed. The temporary name
    keeps the suffix of `path`, because some writers choose the format by it.

    Args:
        path: Final location; parent folders are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}{TEMPORARY_MARK}{uuid.uuid4().hex}{path.suffix}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def publish_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, all or nothing."""
    with publish(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: Path, between: Callable[[], None] = lambda: None) -> str:
    """Return the SHA-256 of the file at `path` as 64 hexadecimal digits.

    Args:
        path: The file.
        between: Called after each mebibyte; ends the work by raising.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(CHUNK_BYTES):
            digest.update(part)
            between()
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
