"""JSON Schemas of the records that other programs read: what a run leaves behind, and what a program is asked.

`python -m eval.runs.schemas docs/schemas` writes them; a test compares them with the code.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from eval.runs.results import RunRecord
from eval.study.ratings import RaterFile
from eval.study.record import StudyRecord
from eval.systems.request import Request
from eval.tasks.task_set import TaskSet
from weights.files import publish_text
from weights.record import Record

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Written(GenerateJsonSchema):
    """As records are written: also what has a default is there."""

    def field_is_required(self, field: object, total: bool) -> bool:  # noqa: ARG002
        """Return that it is."""
        return True


def schemas() -> dict[str, str]:
    """Return the text of each schema by its file name."""
    records: dict[str, type[Record]] = {
        "run.schema.json": RunRecord,
        "tasks.schema.json": TaskSet,
        "request.schema.json": Request,
        "study.schema.json": StudyRecord,
        "rater.schema.json": RaterFile,
    }
    found = {name: schema_of(record) for name, record in records.items()}
    tasks = json.loads(found["tasks.schema.json"])
    tasks["properties"]["sha256"] = {"description": "Of everything else in the file.", "type": "string"}
    tasks["required"].append("sha256")
    return {**found, "tasks.schema.json": _text(tasks)}


def schema_of(record: type[Record]) -> str:
    """Return the schema of a record as it is written, as text."""
    schema = record.model_json_schema(mode="serialization", schema_generator=_Written)
    return _text({"$schema": _DIALECT, **schema})


def write(folder: Path) -> None:
    """Write all schemas into a folder."""
    for name, text in schemas().items():
        publish_text(folder / name, text)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
