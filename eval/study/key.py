"""The answer key of a study: everything its pages are made from, and everything that raters must not know."""

import hashlib
import hmac
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError

from weights.errors import HeadshotError
from weights.files import publish_text
from weights.record import Record

KEY_FILE = "key.json"
MARKING = (
    "Off in the pictures of the study, by design: a label, a watermark or a manifest in one of three pictures would "
    "give the answer. Every form says that one picture of each set is AI-generated, and the debriefing shows which, "
    "labelled."
)


class RealFrame(Record):
    """A recorded frame."""

    clip: str
    row: int


class GeneratedFrame(Record):
    """A frame that a system drew."""

    task: str
    place: int
    """Among the frames of the task."""


class Trial(Record):
    """One set of three pictures."""

    id: str
    """What the page and a rater's file call it; it says nothing without the secret."""
    form: int
    identity: str
    system: str = ""
    """Empty in a catch trial."""
    shots: int = 0
    fake: GeneratedFrame | RealFrame
    """A recorded frame in a catch trial: it is shown in a form that nobody takes for real."""
    real: tuple[RealFrame, RealFrame]
    answer: Annotated[int, Field(ge=0, le=2)]
    """Where the fake is, from the left."""

    @property
    def catch(self) -> bool:
        """Whether it only tests if the rater looks."""
        return not self.system

    @property
    def one_clip(self) -> bool:
        """Whether the two real frames are of one recording."""
        return self.real[0].clip == self.real[1].clip


class LeftOut(Record):
    """A trial that could not be made, and why."""

    form: int
    system: str
    shots: int
    identity: str
    reason: str


class Undelivered(Record):
    """How many frames a system did not deliver at one number of shots."""

    system: str
    shots: int
    frames: int
    undelivered: int

    @property
    def share(self) -> float:
        """Of the frames it was asked for."""
        return self.undelivered / self.frames


class StudiedSystem(Record):
    """A system as it was when its pictures were taken."""

    name: str
    title: str
    config: dict[str, JsonValue]
    mark: str
    """What is written on its pictures where they are disclosed; empty where they are recorded frames."""


class StudyOptions(Record):
    """What the person decided who made the study."""

    forms: int
    trials: int
    """In each form, without catch trials."""
    catch: int
    """Catch trials in each form."""
    catch_allowed: int
    """A rater who misses more of them is left out. Decided before anybody has answered."""
    contact: str
    """Whom raters can ask."""


class StudyKey(Record):
    """The file `key.json`."""

    schema_version: Literal[1] = 1
    study: str
    """Name of the study, which its forms and results carry; it says nothing about the content."""
    secret: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """What everything random was drawn from; with it the sides can be computed."""
    options: StudyOptions
    marking: str = MARKING
    title: str
    """Of the data set."""
    size_px: int
    tasks_sha256: str
    manifest_sha256: str
    systems: tuple[StudiedSystem, ...]
    shots: tuple[int, ...]
    trials: tuple[Trial, ...]
    """In the order in which a form shows them."""
    left_out: tuple[LeftOut, ...]
    delivery: tuple[Undelivered, ...]

    @property
    def rule(self) -> str:
        """What was decided beforehand, in words."""
        codes = "Every result under a rater code that came in with two different results is left out."
        if not self.options.catch:
            return f"There are no obvious trials, so nobody is left out for missing them. {codes}"
        return (
            f"Raters who miss more than {self.options.catch_allowed} of the {self.options.catch} obvious trials on "
            f"their form are left out. {codes}"
        )

    def of_form(self, form: int) -> tuple[Trial, ...]:
        """Return the trials of a form in the order in which it shows them; empty where there is no such form."""
        return tuple(trial for trial in self.trials if trial.form == form)

    def one_clip_people(self) -> tuple[str, ...]:
        """Return the people whose real frames come from one recording, for want of another."""
        return tuple(sorted({trial.identity for trial in self.trials if trial.one_clip}))

    def save(self, folder: Path) -> None:
        """Write the key, all or nothing."""
        publish_text(folder / KEY_FILE, self.model_dump_json(indent=1))

    @classmethod
    def load(cls, path: Path) -> "StudyKey":
        """Read a key, given its file or the folder of the study.

        Raises:
            HeadshotError: There is none, or none of this version.
        """
        path = path / KEY_FILE if path.is_dir() else path
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise HeadshotError(f"no answer key at {path}; give the folder that `headshot study build` made") from None
        except ValidationError as error:
            raise HeadshotError(f"{path} is not the answer key of a study of this version: {error}") from None


def study_name(secret: str) -> str:
    """Return the name that follows from a secret and does not lead back to it."""
    return _digest(secret, "study")[:12]


def trial_id(secret: str, form: int, place: int) -> str:
    """Return the name of the trial at a place of a form.

    Source: HMAC-SHA-256 (RFC 2104), shortened.
    """
    return _digest(secret, f"trial/{form}/{place}")[:16]


def _digest(secret: str, text: str) -> str:
    return hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()
