"""What is said of a published picture or video, and by which marks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from model.disclosure.label import LABEL, DigitalSourceType
from weights.errors import HeadshotError


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Which marks a published picture or video carries: all, unless somebody says otherwise; that is recorded."""

    label: bool = True
    """Words in the picture that people can read."""
    source_type: bool = True
    """The IPTC digital source type, in XMP metadata."""
    credentials: bool = True
    """A signed C2PA manifest."""
    watermark: bool = True
    """32 bits in the pixels that nobody sees."""

    @classmethod
    def without(cls, names: Iterable[str]) -> "Marks":
        """Return all marks but those that are named, in the words of the command line.

        Raises:
            HeadshotError: There is no such mark.
        """
        known = {_word(mark.name): mark.name for mark in fields(cls)}
        named = [name.strip() for name in names if name.strip()]
        if unknown := [name for name in named if name not in known]:
            raise HeadshotError(f"--without {','.join(unknown)}: the marks are {', '.join(known)}")
        return cls(**{known[name]: False for name in named})

    @property
    def left_out(self) -> tuple[str, ...]:
        """The marks that were turned off, in the words of the command line; empty where there is nothing to record."""
        return tuple(_word(mark.name) for mark in fields(self) if not getattr(self, mark.name))


def _word(name: str) -> str:
    return name.replace("_", "-")


ALL = Marks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a picture or video shows; goes into its metadata and its manifest, which anybody can read."""

    description: str
    """In words."""
    source_type: DigitalSourceType = DigitalSourceType.COMPOSITE
    label: str = LABEL
    """The words that are in the picture."""
    made_by: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Such as run, system, model: short names and values."""

    @property
    def text(self) -> str:
        """The description without letters that metadata cannot hold."""
        return "".join(letter if letter.isprintable() else " " for letter in self.description)
