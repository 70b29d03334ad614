"""Run records on disk: earlier versions, and what the published schemas say."""

import json
from pathlib import Path

import pytest

from eval.results import RunRecord, read_record
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
    same = set(old) - {"schema_version", "cost"}
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert new["cost"][0] | old["cost"][0] == new["cost"][0]
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
