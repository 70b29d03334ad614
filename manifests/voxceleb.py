"""VoxCeleb 1 and 2: one text file for each utterance, `<identity>/<YouTube id>/<utterance>.txt`.

A few lines of header, then a table `FRAME X Y W H` with one row a frame. Frames are counted at 25 a second; both the
first and the last one belong to the utterance. Boxes are pixels of a picture 360 high in VoxCeleb1, whose width
depends on the video, and fractions in VoxCeleb2 (as in `crop_vox.py` of AliaksandrSiarohin/video-preprocessing).
"""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Literal

from manifests.corpus import (
    BadEntryError,
    Entries,
    Problem,
    ProblemReason,
    Terms,
    attempt,
    fractions,
    stretch,
    youtube_url,
)
from manifests.names import safe_name
from manifests.schema import Clip, FileSource, Split
from manifests.videos import Videos, files_below
from weights.errors import HeadshotError

COLUMNS = ["FRAME", "X", "Y", "W", "H"]
FPS = 25
REFERENCE_HEIGHT_PX = 360
FILES_AT_ONCE = 16
"""Opening a million small files is waiting, above all on a network disk."""
BATCH = 1024

TEST_IDENTITIES_2 = Path(__file__).with_name("voxceleb2_test.txt")
"""The 118 people that the authors of version 2 set aside for tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Utterance:
    """What a text file says."""

    first_frame: int
    last_frame: int
    box: tuple[float, float, float, float]
    """Of the first frame: x, y, width, height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    attributes: dict[str, str]
    split: Split


@dataclass(frozen=True, slots=True, kw_only=True)
class _Corpus:
    """What is the same for all utterances."""

    root: Path
    version: Literal[1, 2]
    people: dict[str, _Person]
    """What the corpus' table of people says."""
    tested: frozenset[str]
    """Who is in the split `test` if the table is not there."""
    videos: Videos
    terms: Terms

    def person(self, identity: str) -> _Person:
        """Return what is known of a person."""
        split: Split = "test" if identity in self.tested else "train"
        return self.people.get(identity) or _Person(attributes={}, split=split)


def read_voxceleb(root: Path, version: Literal[1, 2], videos: Videos, terms: Terms) -> Entries:
    """Yield the utterances below `root`.

    Args:
        root: Folder of the text files, at any depth: `txt`, or what holds `dev` and `test`. A `vox1_meta.csv` or
            `vox2_meta.csv` in it gives gender, nationality and split.
        version: Of VoxCeleb.
        videos: Whole videos `<YouTube id>.mp4`, from which the stretch is cut and where `face_box` says who is meant;
            or else the cut and cropped utterances `<identity>/<YouTube id>/<utterance>.mp4` of the official download,
            which are taken whole. A box of version 1 needs the shape of the picture, so it is left out where the
            video is not there.
        terms: Of all clips.

    Raises:
        HeadshotError: There are no text files.
    """
    people = _people(root / f"vox{version}_meta.csv", version)
    corpus = _Corpus(
        root=root, version=version, people=people, tested=held_out_identities(version), videos=videos, terms=terms
    )
    read = partial(_read, corpus)
    files = (path for path in files_below(root) if path.endswith(".txt"))
    found = False
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        while batch := list(islice(files, BATCH)):
            found = True
            yield from pool.map(read, batch)
    if not found:
        raise HeadshotError(f"{root}: there are no <identity>/<video>/<utterance>.txt files; give the `txt` folder")


def held_out_identities(version: Literal[1, 2]) -> frozenset[str]:
    """Return the people that the authors set aside for tests: 40 in version 1, 118 in version 2."""
    if version == 1:
        return frozenset(f"id{number}" for number in range(10270, 10310))
    return frozenset(TEST_IDENTITIES_2.read_text(encoding="utf-8").split())


def _read(corpus: _Corpus, path: str) -> Clip | Problem:
    return attempt(str(corpus.root / path), partial(_clip, corpus, PurePosixPath(path)))


def _clip(corpus: _Corpus, path: PurePosixPath) -> Clip:
    if len(path.parts) < 3:
        raise ValueError("it does not lie in <identity>/<YouTube id>")
    identity, video = path.parts[-3:-1]
    utterance = _parse(corpus.root / path)
    start_s, end_s = stretch(utterance.first_frame / FPS, (utterance.last_frame + 1) / FPS)
    whole = corpus.videos.find(video)
    cut = None if whole else corpus.videos.find(f"{identity}/{video}/{path.stem}")
    person = corpus.person(identity)
    return Clip(
        identity=safe_name(identity),
        video=safe_name(video),
        clip=safe_name(path.stem),
        source=FileSource(path=cut or whole or f"{video}.mp4"),
        start_s=0.0 if cut else start_s,
        end_s=(utterance.last_frame + 1 - utterance.first_frame) / FPS if cut else end_s,
        face_box=None if cut else _face_box(utterance, corpus, whole),
        split=person.split,
        licence=corpus.terms.licence,
        consent=corpus.terms.consent,
        credit=corpus.terms.credit,
        source_url=youtube_url(video),
        attributes=person.attributes,
    )


def _parse(path: Path) -> _Utterance:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadEntryError(ProblemReason.UNREADABLE, str(error)) from error
    start = f"\n{text}".find(f"\n{COLUMNS[0]}")  # where such a line begins
    header, _, table = text[start:].partition("\n")
    if header.split() != COLUMNS:
        raise ValueError(f"no line {' '.join(COLUMNS)!r}")
    rows = table.strip()
    if not rows:
        raise ValueError(f"no frame below {' '.join(COLUMNS)!r}")
    (first, *box), (last, *_) = _numbers(rows.split("\n", 1)[0]), _numbers(rows.rsplit("\n", 1)[-1])
    return _Utterance(first_frame=int(first), last_frame=int(last), box=(box[0], box[1], box[2], box[3]))


def _numbers(row: str) -> list[float]:
    cells = row.split()
    if len(cells) != 5:
        raise ValueError(f"row {row.strip()!r} has {len(cells)} numbers instead of 5")
    return [int(cells[0]), *map(float, cells[1:])]


def _face_box(utterance: _Utterance, corpus: _Corpus, whole: str | None) -> tuple[float, float, float, float] | None:
    x, y, width, height = utterance.box
    corners = (x, y, x + width, y + height)
    if corpus.version == 2:
        return fractions(corners, 1.0, 1.0)
    facts = corpus.videos.facts(whole) if whole else None
    return fractions(corners, REFERENCE_HEIGHT_PX * facts.aspect, REFERENCE_HEIGHT_PX) if facts else None


def _people(path: Path, version: Literal[1, 2]) -> dict[str, _Person]:
    """Return what the corpus' table of people says, by identity; nothing if the table is not there."""
    if not path.is_file():
        return {}
    people: dict[str, _Person] = {}
    for row in _rows(path):
        identity = row.get(f"VoxCeleb{version} ID", "")
        wanted = {"gender": row.get("Gender", ""), "nationality": row.get("Nationality", "")}
        people[identity] = _Person(
            attributes={name: value for name, value in wanted.items() if value},
            split="test" if row.get("Set") == "test" else "train",
        )
    return people


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a table with commas or tabs, and with blanks around its cells."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    cells = ([cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter))
    header = next(cells, [])
    yield from (dict(zip(header, row, strict=False)) for row in cells)
