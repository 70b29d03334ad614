"""What the index says about a clip besides its frames; faces are discs."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.store import Store
from tests.pipeline.conftest import clip_of, discs_for_faces, manifest_of, run
from tests.pipeline.test_docs import DOCS


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory, videos: list[Path]) -> Path:
    """Ann and Bob with attributes, Eve who has left, and somebody whose video is not there. Not to be changed."""
    ann, bob, eve = videos
    out = tmp_path_factory.mktemp("described") / "data"
    clips = [
        clip_of(ann, attributes={"nationality": "C\u00f4te d'Ivoire", "gender": "f"}),
        clip_of(bob, attributes={"gender": "m"}),
        clip_of(bob, clip="start", end_s=0.8),
        clip_of(eve, attributes={"gender": "f"}, withdrawn=date(2025, 6, 30)),
        clip_of(out / "gone.mp4", attributes={"gender": "m"}),
    ]
    with discs_for_faces():
        run(manifest_of(*clips), out)
    return out


def attributes(table: Path) -> dict[str, dict[str, str]]:
    rows = pq.read_table(table, columns=["key", "attributes"]).to_pylist()
    return {row["key"]: json.loads(row["attributes"]) for row in rows}


def test_the_index_has_the_attributes_of_the_manifest(described: Path) -> None:
    assert attributes(described / "index.parquet") == {
        "ann/video/full": {"nationality": "C\u00f4te d'Ivoire", "gender": "f"},
        "bob/video/full": {"gender": "m"},
        "bob/video/start": {},
    }
    assert Store.open(described).index()["attributes"][1].as_py() == '{"gender": "m"}'


def test_rejects_have_them_too_but_not_of_somebody_who_left(described: Path) -> None:
    found = attributes(described / "rejects.parquet")
    assert found == {"eve/video/full": {}, "gone/video/full": {"gender": "m"}}


def examples(language: str) -> list[str]:
    section = (DOCS / "pipeline.md").read_text(encoding="utf-8").split("## Open the shards elsewhere\n")[1]
    blocks = re.findall(rf"```{language}\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    return [block for block in blocks if "attributes" in block]


def test_groups_of_a_study_come_from_the_index_with_duckdb(described: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    (query,) = examples("sql")
    rows = duckdb.sql(query.replace("data/demo", str(described))).fetchall()
    assert set(rows) == {("f", "train", 1, 40), ("m", "train", 1, 30), (None, "train", 1, 20)}


def test_groups_of_a_study_come_from_the_index_with_polars(described: Path) -> None:
    pytest.importorskip("polars")
    (code,) = examples("python")
    *setup, last = code.replace("data/demo", str(described)).strip().splitlines()
    here: dict[str, Any] = {}
    exec("\n".join(setup), here)
    assert set(eval(last, here).rows()) == {("f", 1), ("m", 1), (None, 1)}
