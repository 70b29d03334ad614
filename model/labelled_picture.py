"""Pictures with synthetic faces as files whose metadata say so."""

import zlib
from pathlib import Path
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
from jaxtyping import UInt8

from model.label import DigitalSourceType
from weights.errors import HeadshotError
from weights.files import publish

_PNG_HEADER_BYTES = 33
"""Signature and IHDR; whatever comes behind them may be text."""
_JPEG_QUALITY = 92
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_SEGMENT_BYTES = 65_533


def write_labelled(path: Path, picture: UInt8[np.ndarray, "height width 3"], description: str) -> None:
    """Write a picture that shows synthetic beside recorded faces; the metadata say so.

    Args:
        path: Of the picture, `.png` or `.jpg`; it appears whole or not at all.
        picture: RGB, labelled.
        description: What it shows, in words.

    Raises:
        HeadshotError: The name ends otherwise.
    """
    bgr, xmp = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _xmp(DigitalSourceType.COMPOSITE)
    match path.suffix.lower():
        case ".png":
            encoded, head = cv2.imencode(".png", bgr)[1].tobytes(), _PNG_HEADER_BYTES
            texts = _text("Description", description) + _text("XML:com.adobe.xmp", xmp)
        case ".jpg" | ".jpeg":
            encoded, head = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes(), 2
            texts = _segment(0xE1, _XMP_NAME + xmp.encode()) + _segment(0xFE, description.encode())
        case _:
            raise HeadshotError(f"{path}: pictures are written as PNG or JPEG; give a name that ends in .png or .jpg")
    with publish(path) as temporary:
        temporary.write_bytes(encoded[:head] + texts + encoded[head:])


def _segment(marker: int, content: bytes) -> bytes:
    """Return a JPEG segment (ITU-T T.81, B.1.1.4), cut where it would be too long to say its length."""
    kept = content[:_SEGMENT_BYTES]
    return bytes((0xFF, marker)) + (len(kept) + 2).to_bytes(2) + kept


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
