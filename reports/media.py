"""Pictures and videos of a page: files beside it, named by what is in them, or inside the page itself."""

import base64
import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from model.disclosure.mark import RECORDED, Place, marked_picture
from model.disclosure.statement import ALL, Marks, Shown
from weights.errors import HeadshotError

FOLDER = "media"
TYPES = {
    "webp": "image/webp",
    "png": "image/png",
    "jpg": "image/jpeg",
    "svg": "image/svg+xml",
    "mp4": "video/mp4",
    "webm": "video/webm",
}
"""What a page may show, by suffix."""


class NoRoomError(HeadshotError):
    """What was added does not fit into the one file."""


class Media:
    """Takes encoded pictures and videos, and says where the page finds each of them.

    Args:
        site: Folder of the page, below which `media/` is made; None puts everything into the page itself. The folder is
            one that `reports.site.publish_site` syncs as a whole: file by file that takes three times as long.
        most_bytes: How much the page can carry of it, encoded; no limit where there is none. Files have no limit.
        marks: What every synthetic picture and video carries.
    """

    def __init__(self, site: Path | None = None, *, most_bytes: int | None = None, marks: Marks = ALL) -> None:
        self._site, self._most, self.marks = site, most_bytes, marks
        self._known: dict[str, str] = {}
        self.inline_bytes = 0
        """Of all addresses that were given out so far, where they are inside the page."""

    @property
    def inside(self) -> bool:
        """Whether everything goes into the page itself."""
        return self._site is None

    @property
    def room_bytes(self) -> int | None:
        """How many more bytes can be added, before encoding; None where there is no limit."""
        return None if self._most is None or not self.inside else max(0, (self._most - self.inline_bytes) * 3 // 4 - 64)

    def add(self, content: bytes, suffix: str, *, recorded: bool = False, digest: str = "") -> str:
        """Return the address of the content, for `src`: `media/<hash>.<suffix>`, or a `data:` address.

        A file is written once, however often its content is added.

        Args:
            content: The encoded picture or video, as it is published: what is synthetic has its marks.
            suffix: One of `TYPES`, without a dot.
            recorded: It shows nothing synthetic; the name of the file says so.
            digest: Of what went in, to name the file by, as no two signatures are alike; of the content if empty.

        Raises:
            NoRoomError: It does not fit into the page.
        """
        digest = digest or hashlib.sha256(content).hexdigest()
        if digest not in self._known:
            self._known[digest] = self._put(content, suffix, f"{RECORDED if recorded else ''}{digest[:16]}")
        return self._known[digest]

    def add_synthetic(
        self,
        picture: UInt8[np.ndarray, "height width 3"],
        suffix: str,
        shown: Shown,
        *,
        place: Place = "below",
        quality: int = 92,
    ) -> str:
        """Return the address of an RGB picture that shows a synthesised person, after marking it.

        Its file is named by what went in, because no two signatures are alike; so a picture is marked once, and has
        the same name in the next build.

        Args:
            picture: RGB.
            suffix: `webp`, `png` or `jpg`.
            shown: What it shows.
            place: Of the label.
            quality: Of WebP and JPEG.

        Raises:
            NoRoomError: It does not fit into the page.
            HeadshotError: There is no certificate to sign with.
        """
        asked = repr((picture.shape, suffix, shown, self.marks, place, quality)).encode()
        digest = hashlib.sha256(asked + np.ascontiguousarray(picture).data).hexdigest()
        if digest not in self._known:
            content = marked_picture(picture, f".{suffix}", shown, self.marks, place=place, quality=quality)
            self._known[digest] = self._put(content, suffix, digest[:16])
        return self._known[digest]

    def _put(self, content: bytes, suffix: str, name: str) -> str:
        kind = TYPES[suffix]
        if self._site is None:
            return self._inline(content, kind)
        address = f"{FOLDER}/{name}.{suffix}"
        path = self._site / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return address

    def _inline(self, content: bytes, kind: str) -> str:
        address = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
        if self._most is not None and self.inline_bytes + len(address) > self._most:
            raise NoRoomError(
                f"the pictures and videos do not fit into {self._most / 1e6:.1f} MB; "
                "leave out --single-file, which keeps them in a folder beside the page"
            )
        self.inline_bytes += len(address)
        return address
