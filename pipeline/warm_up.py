"""The networks of a run, loaded before they are needed and dropped when they cannot be trusted any more."""

from pipeline.backends import load_backend
from pipeline.config import PipelineConfig
from pipeline.iris import load_iris
from pipeline.recognition import WEIGHT_ID as RECOGNISER
from pipeline.recognition import load_recogniser
from weights.fetch import fetch


def load_networks(config: PipelineConfig) -> None:
    """Load all networks that every clip asks for, and see to it that the others are here; each process keeps them.

    Raises:
        HeadshotError: One cannot be had.
    """
    load_backend(config.backend, config.detector)
    if config.gaze:
        load_iris()
    if config.identity_every:
        load_recogniser()
    elif config.recognises:
        fetch(RECOGNISER)  # most clips never ask for it: it has to be here, but is loaded by the first one that does


def forget_networks() -> None:
    """Load them anew when they are needed next: one may have been stopped in the middle of a call."""
    load_backend.cache_clear()
    load_iris.cache_clear()
    load_recogniser.cache_clear()
