"""The guide says what the code does."""

import re
from pathlib import Path
from typing import Any

import fsspec

from manifests.readers import read_manifest
from pipeline.schema import COLUMNS
from pipeline.sound_shard import SOUND_COLUMNS
from pipeline.verdicts import RejectReason, SoundFlaw

DOCS = Path(__file__).resolve().parents[2] / "docs"


def first_cells(page: str, heading: str) -> set[str]:
    """Return the names in the first column of the table under a heading."""
    section = (DOCS / page).read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_column_and_no_other_is_explained() -> None:
    assert first_cells("pipeline.md", "Columns") == {name for name, _ in COLUMNS}


def test_every_reject_reason_and_no_other_is_explained() -> None:
    assert first_cells("pipeline.md", "Reasons for a reject") == {str(reason) for reason in RejectReason}


def test_every_column_and_every_flaw_of_sound_is_explained() -> None:
    names = {name for name, _ in SOUND_COLUMNS} | {str(flaw) for flaw in SoundFlaw}
    assert first_cells("pipeline.md", "Sound") == names | {"sound_flaw"}


def test_the_example_manifest_is_one(tmp_path: Path) -> None:
    text = (DOCS / "your-data.md").read_text(encoding="utf-8")
    example = tmp_path / "office.toml"
    example.write_text(text.split("```toml\n")[1].split("```")[0])
    assert [clip.key for clip in read_manifest(example).clips] == ["ann/monday/hello", "bob/interview/full"]


def test_the_reading_examples_run(made: Path) -> None:
    """On a folder, then on the same dataset in object storage."""
    section = (DOCS / "pipeline.md").read_text(encoding="utf-8").split("## Read frames in Python\n")[1]
    on_disk, remote, training = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    memory = fsspec.filesystem("memory")
    memory.put(str(made), "/bucket/faces", recursive=True)
    replaced = {
        "data/demo": str(made),
        "jwp/intro/full": "ann/video/full",
        's3://bucket/faces", storage_options={"anon": True}': 'memory://bucket/faces", storage_options={}',
        "length=10_000": "length=32",
    }
    here: dict[str, Any] = {}
    examples = "\n".join((on_disk, training, remote, training))
    for written, meant in replaced.items():
        assert written in examples
        examples = examples.replace(written, meant)
    exec(examples, here)
    assert here["batch"].support_frames.shape == (16, 8, 128, 128, 3)
    assert here["batch"].support_landmarks.shape == (16, 8, 68, 2)
    memory.rm("/bucket", recursive=True)
