"""The video file of a clip, found and checked."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from manifests.samples import resolve
from manifests.schema import Clip
from pipeline.config import PipelineConfig
from pipeline.deadline import Deadline
from pipeline.verdicts import ClipRejectedError, RejectReason
from pipeline.video import VideoReader, open_video
from weights.errors import HeadshotError
from weights.files import sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A video file as it is now."""

    path: Path
    sha256: str


def find_source(clip: Clip, clip_folder: Path) -> Path:
    """Return where the video of a clip lies.

    Raises:
        ClipRejectedError: It is not there.
    """
    try:
        return resolve(clip, clip_folder)
    except HeadshotError as error:
        raise ClipRejectedError(RejectReason.MISSING_SOURCE, str(error)) from error


class OpenSource:
    """The videos of a run of clips, one open at a time: clips of one video share its hash and its reader."""

    def __init__(self, clip_folder: Path, config: PipelineConfig) -> None:
        self._clip_folder, self._config = clip_folder, config
        self._open = ExitStack()
        self._source: Source | None = None
        self._reader: VideoReader | None = None

    def __enter__(self) -> "OpenSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def of(self, clip: Clip) -> tuple[Source, VideoReader]:
        """Return the checked video of a clip and a reader of it, which the next call with another video closes.

        Raises:
            ClipRejectedError: It is not there, is not the file that the manifest names, is too large to be read in
                the time of a clip, or cannot be decoded.
        """
        path = find_source(clip, self._clip_folder)
        if self._source is None or self._source.path != path:
            self.close()
            self._source = Source(path=path, sha256=sha256_of(path, Deadline(self._config).check))
        _check(self._source, clip)
        if self._reader is None:
            self._reader = self._open.enter_context(open_video(path))
        return self._source, self._reader

    def close(self) -> None:
        """Close the video that is open; a reader that failed in the middle of something is not used again."""
        self._open.close()
        self._source = self._reader = None


def _check(source: Source, clip: Clip) -> None:
    digest = source.sha256
    expected = clip.source.sha256
    if expected not in (None, digest):
        raise ClipRejectedError(
            RejectReason.SOURCE_CHANGED,
            f"{source.path.name} has sha256 {digest[:12]}..., the manifest says {str(expected)[:12]}...; "
            "fetch it again, or correct the manifest",
        )
