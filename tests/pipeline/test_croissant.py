"""The Croissant description is one, by the judgement of its makers' own reader; faces are discs."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.layout import DatasetLayout
from pipeline.schema import COLUMNS
from pipeline.store import Store
from weights.files import sha256_of

if TYPE_CHECKING:
    import mlcroissant


@pytest.fixture(scope="module")
def described(made: Path) -> "mlcroissant.Dataset":
    """The dataset of Ann, Bob and Eve as Croissant sees it; an error in the description would raise."""
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    return mlcroissant.Dataset(jsonld=made / "croissant.json")


def test_the_validator_finds_no_error_and_misses_only_what_nobody_can_know(described: "mlcroissant.Dataset") -> None:
    issues = described.metadata.ctx.issues
    assert not issues.errors
    missing = ("citeAs", "datePublished", "version")
    assert all(any(name in warning for name in missing) for warning in issues.warnings)


def test_a_record_read_through_it_is_the_one_in_the_store(described: "mlcroissant.Dataset", made: Path) -> None:
    store = Store.open(made)
    record = next(iter(described.records("frames")))
    clip = store.clip(f"{record['frames/identity'].decode()}/video/full")
    assert set(record) == {"frames/split", *(f"frames/{name}" for name, _ in COLUMNS)}
    assert record["frames/split"].decode() == clip.split
    row = int(np.flatnonzero(store.column(clip, "frame") == record["frames/frame"])[0])
    np.testing.assert_array_equal(record["frames/landmarks"], store.column(clip, "landmarks")[row])
    picture = io.BytesIO()
    record["frames/image"].save(picture, "PNG")
    assert np.asarray(record["frames/image"]).shape == store.frames(clip, [row])[0].shape


def test_the_index_can_be_read_through_it(described: "mlcroissant.Dataset", made: Path) -> None:
    records = list(described.records("clips"))
    assert [record["clips/key"].decode() for record in records] == [clip.key for clip in Store.open(made).clips]
    assert {record["clips/attributes"].decode() for record in records} == {"{}"}


def test_every_file_is_named_with_its_hash(made: Path) -> None:
    text = json.loads((made / "croissant.json").read_text())
    files = {one["contentUrl"]: one["sha256"] for one in text["distribution"] if one["@type"] == "cr:FileObject"}
    shards = {f"data/{path.name}" for path in (made / "data").iterdir()}
    assert set(files) == {*shards, DatasetLayout(made).index.name, DatasetLayout(made).rejects.name}
    assert all(sha256_of(made / path) == digest for path, digest in files.items())


def test_licences_are_web_addresses_where_they_have_one(made: Path) -> None:
    text = json.loads((made / "croissant.json").read_text())
    assert text["license"] == ["https://creativecommons.org/publicdomain/zero/1.0/"]
