"""Systems that come with the benchmark, by name."""

from pathlib import Path

from eval.systems.baselines import CopySource, MeanFrame, NearestFrame
from eval.systems.protocol import System
from weights.errors import HeadshotError

BASELINES = (CopySource.name, NearestFrame.name, MeanFrame.name)
REFERENCE = ("reference-ff", "reference-ft")
NAMES = BASELINES + REFERENCE
"""In the order in which tables show them."""


def load_system(name: str, *, checkpoint: Path | None = None, device: str = "auto") -> System:
    """Return a built-in system.

    Args:
        name: One of `NAMES`.
        checkpoint: Folder of the reference model's checkpoint; the baselines need none.
        device: `auto`, `cpu` or `cuda`, for the reference model.

    Raises:
        HeadshotError: There is no such system, or its checkpoint is missing.
    """
    for baseline in (CopySource, NearestFrame, MeanFrame):
        if name == baseline.name:
            return baseline()
    if name not in REFERENCE:
        raise HeadshotError(f"there is no system {name!r}; choose from {', '.join(NAMES)}")
    if checkpoint is None:
        raise HeadshotError(f"the system {name} needs a checkpoint; train one with `headshot train`")
    from eval.systems.reference import ReferenceFeedForward, ReferenceFineTuned

    kind = ReferenceFeedForward if name == ReferenceFeedForward.name else ReferenceFineTuned
    return kind(checkpoint, device)
