"""Pictures with synthetic faces as PNG files whose metadata say so."""

import zlib
from pathlib import Path
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
from jaxtyping import UInt8

from model.label import DigitalSourceType
from weights.files import publish

_PNG_HEADER_BYTES = 33
"""Signature and IHDR; whatever comes behind them may be text."""


def write_labelled(path: Path, picture: UInt8[np.ndarray, "height width 3"], description: str) -> None:
    """Write a picture that shows synthetic beside recorded faces as PNG; the metadata say so.

    Args:
        path: Of the picture; it appears whole or not at all.
        picture: RGB, labelled.
        description: What it shows, in words.
    """
    encoded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
    texts = _text("Description", description) + _text("XML:com.adobe.xmp", _xmp(DigitalSourceType.COMPOSITE))
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
