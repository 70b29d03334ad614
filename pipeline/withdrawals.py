"""Who has left a dataset (`withdrawn.json`), and what a takedown remembers while it is at work."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from manifests.schema import Clip, Record
from pipeline.layout import DatasetLayout
from weights.errors import HeadshotError
from weights.files import publish_text


class Withdrawals(Record):
    """People who were taken out of a dataset: no later run brings them back, whatever its manifest says."""

    schema_version: Literal[1] = 1
    people: dict[str, date]
    """Identity and the day."""


class Takedown(Record):
    """What a takedown has to know after it has begun to remove things; kept until it is finished."""

    schema_version: Literal[1] = 1
    identity: str
    day: date
    clips: tuple[Clip, ...]
    """As they were planned: they say where the videos lie."""


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


def unfinished(layout: DatasetLayout, identity: str) -> Takedown | None:
    """Return the takedown of a person that was begun and not finished, None where there is none.

    Raises:
        HeadshotError: Its notes cannot be read.
    """
    path = notes_of(layout, identity)
    if not path.is_file():
        return None
    try:
        return Takedown.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise HeadshotError(
            f"{path} was written by another version of headshot or is damaged; delete it and run the takedown again"
        ) from error


def notes_of(layout: DatasetLayout, identity: str) -> Path:
    """Return where the notes of an unfinished takedown lie."""
    return layout.takedowns / f"{identity}.json"


def refuse_half_done(layout: DatasetLayout) -> None:
    """Refuse to work on a dataset that somebody is being taken out of.

    Raises:
        HeadshotError: A takedown was begun and not finished.
    """
    begun = sorted(path.stem for path in layout.takedowns.glob("[!.]*.json"))
    if begun:
        raise HeadshotError(
            f"the takedown of {', '.join(begun)} from {layout.root} was not finished; run `headshot takedown "
            f"{begun[0]}` with the same folders again, it goes on where it ended"
        )
