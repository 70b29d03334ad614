"""The time a clip is given."""

import time

from pipeline.config import PipelineConfig
from pipeline.verdicts import ClipRejectedError, RejectReason


class Deadline:
    """Gives up on a clip that takes too long. A decoder stuck in one call is ended by `pipeline.limits` instead."""

    def __init__(self, config: PipelineConfig) -> None:
        self._limit_s = config.clip_timeout_s
        self._end = time.monotonic() + self._limit_s

    def check(self) -> None:
        """Go on.

        Raises:
            ClipRejectedError: Time is up.
        """
        if time.monotonic() > self._end:
            raise ClipRejectedError(RejectReason.TIMEOUT, f"still working on it after {self._limit_s:g} s")
