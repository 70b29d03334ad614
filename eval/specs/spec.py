"""What a metric is, exactly: a versioned specification beside every number."""

from typing import Annotated, Literal

from pydantic import Field

from weights.record import Record

Level = Literal["frame", "set", "trial"]
Kind = Literal["image", "distribution", "face", "time", "delivery", "judgement"]
Tier = Literal["headline", "default", "extra", "named", "person"]


class MetricSpec(Record):
    """Everything that fixes the value of a metric, and how to read it.

    The id names what was computed: a Frechet distance is called FID only over the network that FID was
    defined on.
    """

    id: str
    version: Annotated[int, Field(ge=1)]
    """Raised by hand whenever a value can change; numbers of two versions are never compared."""
    title: str
    """Short, with network or variant in brackets: the heading of a column."""
    kind: Kind = "face"
    """What it looks at: pictures, sets of pictures, faces, what happens between frames, whether there is a face at
    all, or what people say who look at it."""
    tier: Tier = "default"
    """`headline`: stands in the main table. `default`: measured too, since it costs little beside the headline.
    `extra`: measured where it is asked for. `named`: measured where its id is asked for, since few tasks suit it.
    `person`: measured by asking people, in a study of its own."""
    level: Level
    """`frame`: one value for each generated frame; `set`: one value for all frames of a system at one number
    of shots; `trial`: one value for each picture that a person judged."""
    definition: str
    equation: str
    source: str
    unit: str
    range: tuple[float | None, float | None]
    """Smallest and largest possible value; None means no end."""
    higher_is_better: bool
    perfect: float
    """The value of ground truth measured against itself."""
    weights: tuple[str, ...] = ()
    """Ids in the weights registry."""
    preparation: str
    """Crop, alignment, size and normalisation of what is measured."""
    worst: float | None
    """What a frame that failed counts as in the headline; measured values beyond it count as this much,
    too."""
    failure_policy: str
    across: Literal["person", "driver"] | None = None
    """What a generated frame is compared with in cross-reenactment, where it has no target: a real frame of the person
    shown, or the frame of the person who drives; None where the metric means nothing there."""

    @property
    def versioned_id(self) -> str:
        """`id@version`, the name under which values are cached."""
        return f"{self.id}@{self.version}"


RENDERED_ONLY = (
    "Any picture can be measured. A frame that the system did not deliver counts as {worst} in the headline, "
    "and so does a measured value that is worse, so that failing never pays."
)
NEEDS_FACE = (
    "A frame in which no face is found, or that the system did not deliver, counts as {worst} in the "
    "headline, and so does a measured value that is worse, so that failing never pays. Target frames "
    "without a measurable face are left out for every system alike."
)
