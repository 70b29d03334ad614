"""Run records on disk: earlier versions, and what the published schemas say."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from eval.benchmark import benchmark
from eval.runs.results import SCORE_SCHEMA, SCORES_FILE, Run, RunRecord, held, read_record
from eval.runs.schemas import schemas
from eval.specs.image import SSIM
from eval.systems.baselines import CopySource, MeanFrame
from eval.tasks.making import make_tasks
from tests.conftest import REPOSITORY
from tests.eval.conftest import DrawnStore
from weights.errors import HeadshotError

RECORDS = Path(__file__).parent / "records"


def changed(folder: Path, **changes: object) -> Path:
    content = json.loads((RECORDS / "run-2.json").read_text(encoding="utf-8")) | changes
    (folder / "run.json").write_text(json.dumps(content), encoding="utf-8")
    return folder / "run.json"


def test_a_record_of_version_2_is_read_as_it_would_be_written_now() -> None:
    """The kept file was written by the code of that version."""
    old = json.loads((RECORDS / "run-2.json").read_text(encoding="utf-8"))
    record = read_record(RECORDS / "run-2.json")
    new = json.loads(record.model_dump_json())
    assert {name for name in new if name not in old} == {"undelivered"}
    same = set(old) - {"schema_version", "cost", "specs", "systems"}
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    for name in ("cost", "specs", "systems"):
        assert [now | was for now, was in zip(new[name], old[name], strict=True)] == new[name]
    assert {spec.tier for spec in record.specs} == {"default"}
    assert not any(system.reference for system in record.systems)
    assert record.cost[0].memory_mib is None
    assert RunRecord.model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize(
    ("version", "what_to_do"),
    [(1, "run `headshot benchmark` again"), (4, "install a newer headshot"), (None, "run `headshot benchmark` again")],
)
def test_a_record_that_no_step_leads_from_is_refused_with_what_to_do(
    version: int | None, what_to_do: str, tmp_path: Path
) -> None:
    with pytest.raises(HeadshotError, match=f"version {version}, .* reads 2 to 3; {what_to_do}"):
        read_record(changed(tmp_path, schema_version=version))


def test_migration_forgives_no_unknown_field(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="colour"):
        read_record(changed(tmp_path, colour="red"))


@pytest.mark.parametrize("name", schemas())
def test_the_published_schemas_are_those_of_the_code(name: str) -> None:
    published = (REPOSITORY / "docs" / "schemas" / name).read_text(encoding="utf-8")
    assert published == schemas()[name], "run `python -m eval.runs.schemas docs/schemas`"


def test_another_program_accepts_what_a_run_writes_and_nothing_else(store: DrawnStore, tmp_path: Path) -> None:
    tasks = make_tasks(store, [1], size_px=32)
    benchmark(store, [CopySource()], tasks, tmp_path / "run", specs=[SSIM])
    for name in ("run", "tasks"):
        schema = json.loads(schemas()[f"{name}.schema.json"])
        Draft202012Validator.check_schema(schema)
        content = json.loads((tmp_path / "run" / f"{name}.json").read_text(encoding="utf-8"))
        reader = Draft202012Validator(schema)
        assert list(reader.iter_errors(content)) == []
        assert not reader.is_valid(content | {"schema_version": 99})
        assert not reader.is_valid(content | {"colour": "red"})
        assert not reader.is_valid({key: value for key, value in content.items() if key != "schema_version"})


def test_score_rows_read_back_are_those_that_were_written_in_less_memory(store: DrawnStore, tmp_path: Path) -> None:
    tasks = make_tasks(store, [1, 8], size_px=32)
    written = benchmark(store, [CopySource(), MeanFrame()], tasks, tmp_path / "run", specs=[SSIM]).scores
    read = Run.open(tmp_path / "run").scores
    assert read.equals(written)
    plain = pq.read_table(tmp_path / "run" / SCORES_FILE)
    assert plain.schema.equals(SCORE_SCHEMA), "on disk, names are text"
    assert held(plain).equals(read)
    assert read.cast(SCORE_SCHEMA).equals(plain)
    assert read.nbytes < 0.6 * plain.nbytes


def test_what_is_no_table_of_scores_is_refused(store: DrawnStore, tmp_path: Path) -> None:
    tasks = make_tasks(store, [1], size_px=32)
    scores = benchmark(store, [CopySource()], tasks, tmp_path / "run", specs=[SSIM]).scores.cast(SCORE_SCHEMA)
    for other in (scores.drop_columns("stratum"), scores.set_column(9, "value", scores["metric"])):
        pq.write_table(other, tmp_path / "run" / SCORES_FILE)
        with pytest.raises(HeadshotError, match="this version cannot read"):
            Run.open(tmp_path / "run")
