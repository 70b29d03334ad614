"""Pictures of what a model in training makes of people it trains on, labelled as synthetic."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
from jaxtyping import UInt8

from model.label import BAR_RGB, FONT, DigitalSourceType, label_below
from weights.files import publish

STATEMENT = (
    "AI-generated: the faces in the column `generated` were synthesised by headshot, the others are recorded. "
    "A picture for those who train the model: it shows people of the training data, ask them before you publish it."
)
TITLE_PX = 16
LABEL_PX = 20
_PNG_HEADER_BYTES = 33
"""Signature and IHDR; whatever comes behind them may be text."""

Images = UInt8[np.ndarray, "people size size 3"]


def grid(columns: Mapping[str, Images]) -> UInt8[np.ndarray, "height width 3"]:
    """Return one row a person and one column a kind of picture, with titles above and the label below.

    Args:
        columns: RGB pictures by title, the same number and size in each column.
    """
    pictures = np.concatenate([np.concatenate(list(column)) for column in columns.values()], axis=1)
    head = np.full((TITLE_PX, pictures.shape[1], 3), BAR_RGB, np.uint8)
    width = pictures.shape[1] // len(columns)
    for number, title in enumerate(columns):
        cv2.putText(head, title, (number * width + 3, TITLE_PX - 5), FONT, 0.32, (255, 255, 255), 1, cv2.LINE_AA)
    return label_below(np.concatenate([head, pictures]), LABEL_PX)


def write_grid(path: Path, picture: UInt8[np.ndarray, "height width 3"]) -> None:
    """Write a picture that shows synthetic beside recorded faces as PNG; the metadata say so."""
    encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
    texts = _text("Description", STATEMENT) + _text("XML:com.adobe.xmp", _xmp(DigitalSourceType.COMPOSITE))
    with publish(path) as temporary:
        temporary.write_bytes(encoded[:_PNG_HEADER_BYTES] + texts + encoded[_PNG_HEADER_BYTES:])


def _text(keyword: str, text: str) -> bytes:
    """Return an iTXt chunk, uncompressed, without language (PNG specification, section 11.3.3.4)."""
    data = keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
    return len(data).to_bytes(4) + b"iTXt" + data + zlib.crc32(b"iTXt" + data).to_bytes(4)


def _xmp(source_type: DigitalSourceType) -> str:
    """Return the IPTC term as an XMP packet."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f"Iptc4xmpExt:DigitalSourceType={quoteattr(source_type.value)}/></rdf:RDF></x:xmpmeta>"
    )
