"""`withdrawn.json`: who has left a dataset, so that no later run brings them back, whatever its manifest says."""

from datetime import date
from typing import Literal

from manifests.schema import Record
from pipeline.layout import DatasetLayout
from weights.errors import HeadshotError
from weights.files import publish_text


class Withdrawals(Record):
    """People who were taken out of a dataset."""

    schema_version: Literal[1] = 1
    people: dict[str, date]
    """Identity and the day."""


def read_withdrawals(layout: DatasetLayout) -> dict[str, date]:
    """Return who has left the dataset, and when.

    Raises:
        HeadshotError: The file cannot be read; to go on without it could bring somebody back.
    """
    if not layout.withdrawals.is_file():
        return {}
    try:
        return Withdrawals.model_validate_json(layout.withdrawals.read_text(encoding="utf-8")).people
    except ValueError as error:
        raise HeadshotError(
            f"{layout.withdrawals} says who has left the dataset and cannot be read; restore or correct it, or those "
            "people come back"
        ) from error


def add_withdrawal(layout: DatasetLayout, identity: str, day: date) -> None:
    """Write down that somebody has left."""
    people = {**read_withdrawals(layout), identity: day}
    publish_text(layout.withdrawals, Withdrawals(people=dict(sorted(people.items()))).model_dump_json(indent=1) + "\n")
