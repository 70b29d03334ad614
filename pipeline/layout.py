"""Names of the files of a dataset folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from weights.files import TEMPORARY_MARK

LOCK_NAME = ".lock"
"""Empty file that runs lock; it stays, because removing it would let two runs lock two files of that name."""

FOLDERS = {"data": "parquet", "audio": "parquet", "rejects": "parquet", "offsets": "npy", "records": "json"}
"""Where files of shards lie, and their suffix."""


@dataclass(frozen=True, slots=True)
class DatasetLayout:
    """Where things lie under the root of a dataset."""

    root: Path

    @property
    def plan(self) -> Path:
        """Which clips go where."""
        return self.root / "plan.json"

    @property
    def info(self) -> Path:
        """What the dataset is; written last."""
        return self.root / "dataset.json"

    @property
    def card(self) -> Path:
        """The page for people and for the Hugging Face hub."""
        return self.root / "README.md"

    @property
    def index(self) -> Path:
        """One row per clip."""
        return self.root / "index.parquet"

    @property
    def rejects(self) -> Path:
        """One row per clip that was left out."""
        return self.root / "rejects.parquet"

    @property
    def croissant(self) -> Path:
        """The dataset as Croissant describes it, for catalogues and loaders."""
        return self.root / "croissant.json"

    @property
    def statistics(self) -> Path:
        """The page with faces and distributions; written by a higher floor when the dataset is finished."""
        return self.root / "statistics.html"

    @property
    def withdrawals(self) -> Path:
        """Who has withdrawn; it outlives every plan."""
        return self.root / "withdrawn.json"

    @property
    def takedowns(self) -> Path:
        """Folder of what unfinished takedowns have to remember."""
        return self.root / "takedown"

    def shard(self, name: str) -> Path:
        """Frames."""
        return self.root / "data" / f"{name}.parquet"

    def audio(self, name: str) -> Path:
        """Sound of the clips of a shard; only where it was asked for."""
        return self.root / "audio" / f"{name}.parquet"

    def pictures(self, name: str) -> Path:
        """Pictures of the clips that a shard leaves out; only where there are some."""
        return self.root / "rejects" / f"{name}.parquet"

    def offsets(self, name: str) -> Path:
        """Where in the shard each image lies."""
        return self.root / "offsets" / f"{name}.npy"

    def record(self, name: str) -> Path:
        """Proof that the shard is done."""
        return self.root / "records" / f"{name}.json"

    def is_finished_as(self, info: str) -> bool:
        """Return whether all files of the dataset as a whole exist, and `dataset.json` says what `info` says."""
        return all(path.is_file() for path in self.files_of_dataset()) and self.info.read_text(encoding="utf-8") == info

    def files_of_dataset(self) -> tuple[Path, ...]:
        """Return the files that are written when all shards are done."""
        return self.info, self.index, self.rejects, self.card, self.croissant

    def files_of_shards(self) -> Iterator[Path]:
        """Yield every file that belongs to some shard."""
        for folder, suffix in FOLDERS.items():
            yield from sorted((self.root / folder).glob(f"[!.]*.{suffix}"))

    def remove_stale_files(self) -> None:
        """Remove temporary files that killed processes left behind."""
        for path in self.stale_files():
            path.unlink(missing_ok=True)

    def stale_files(self) -> Iterator[Path]:
        """Yield temporary files."""
        of_shards = (self.root / name for name in FOLDERS)
        for folder in (self.root, *of_shards, self.takedowns):
            yield from sorted(folder.glob(f".*{TEMPORARY_MARK}*"))


NAMES = DatasetLayout(Path())
"""The same names without a root, for datasets that do not lie in a folder."""
