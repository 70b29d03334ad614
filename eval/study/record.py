"""What a study found: `study.json` beside the run that was judged."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from eval.runs.results import RunRecord
from eval.specs.spec import MetricSpec
from eval.study.key import StudiedSystem
from eval.study.ratings import FileRow
from weights.errors import HeadshotError
from weights.files import publish_text
from weights.record import Record

STUDY_FILE = "study.json"
Verdict = Literal["found out", "not separated from guessing", "not tested"]


class Within(Record):
    """An interval."""

    low: float
    high: float


class StudyScore(Record):
    """What people made of one system at one number of shots."""

    system: str
    shots: int
    trials: int
    correct: int
    raters: int
    people: int
    """Shown, not asked."""
    undelivered_share: float
    """Of the frames it was asked for: shown to nobody."""
    value: float
    """Share found out, frames that were not delivered counting as such: the number of the USER column."""
    interval: Within | None
    """95%, over raters and people shown; None with one of either."""
    accuracy: float
    """Share of correct answers, over what was shown."""
    wilson: Within
    """95% interval of the accuracy if all trials were independent, which they are not."""
    design_effect: float
    d_prime: float
    d_prime_interval: Within | None
    p: float | None
    """One-sided, against guessing."""
    p_holm: float | None
    """Corrected for all numbers of the study."""
    verdict: Verdict


class StudyRecord(Record):
    """The file `study.json`."""

    schema_version: Literal[1] = 1
    study: str
    spec: MetricSpec
    rule: str
    """Whom to leave out, as it was decided before anybody had answered."""
    marking: str
    """What was done about labels and watermarks in the pictures of the study."""
    tasks_sha256: str
    systems: tuple[StudiedSystem, ...]
    """As they were when the study was made."""
    raters: int
    """Whose answers count."""
    files: tuple[FileRow, ...]
    """Everything that was handed in."""
    trials_left_out: int
    """Trials that could not be made, a frame not having been delivered for example."""
    people_of_one_clip: int
    """People whose two real frames came from one recording, for want of another."""
    scores: tuple[StudyScore, ...]
    scored_at: str

    def save(self, run_dir: Path) -> None:
        """Write it beside a run, all or nothing."""
        publish_text(run_dir / STUDY_FILE, self.model_dump_json(indent=1))

    @classmethod
    def of(cls, run_dir: Path, record: RunRecord) -> "StudyRecord | None":
        """Return what people said of the systems of a run, as far as these are the ones that were judged.

        Args:
            run_dir: Folder of the run.
            record: Of the run; systems whose configuration is another one by now, or all where the tasks are, have lost
                their scores.

        Returns:
            None where nobody was asked, or nothing is left.

        Raises:
            HeadshotError: The file is damaged, or of another version.
        """
        path = run_dir / STUDY_FILE
        try:
            study = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise HeadshotError(
                f"{path} is not the record of a study of this version: {error}; run `headshot study score` again"
            ) from None
        now = {system.name: system.config for system in record.systems}
        same = record.tasks_sha256 == study.tasks_sha256
        kept = tuple(one for one in study.systems if same and now.get(one.name) == one.config)
        names = {one.name for one in kept}
        scores = tuple(one for one in study.scores if one.system in names)
        return study.model_copy(update={"systems": kept, "scores": scores}) if scores else None
