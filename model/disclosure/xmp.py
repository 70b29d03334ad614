"""What a file says of itself: the IPTC term, a description and the label, as XMP in PNG, JPEG, WebP and MP4.

Sources: XMP specification part 3 (where each format keeps its packet); PNG specification, section 11.3.3.4; ITU-T T.81,
B.1.1.4; WebP container specification; ISO 14496-12 (`uuid` boxes).
"""

import re
import zlib
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from model.disclosure.statement import Marks, Shown

DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
HEADSHOT = "urn:headshot:disclosure:"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PACKET = re.compile(rb"<x:xmpmeta\b.*?</x:xmpmeta>", re.DOTALL)
_DESCRIPTION_LETTERS = 10_000
"""A JPEG segment holds 65,502 bytes, and a letter takes up to six once it is escaped."""
_PNG_HEADER_BYTES = 33
"""Signature and IHDR; whatever comes behind them may be text."""
_JPEG_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_MP4_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_WEBP_XMP_FLAG = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the metadata of a file say."""

    source_type: str = ""
    """The IPTC term; empty where none is given."""
    label: str = ""
    """Words that are said to be in the picture; empty where none are said to be."""
    left_out: tuple[str, ...] = ()
    """Marks that were turned off."""


def packet(shown: Shown, marks: Marks) -> bytes:
    """Return the XMP packet of a picture or video with these marks."""
    attributes = {
        "Iptc4xmpExt:DigitalSourceType": shown.source_type.value if marks.source_type else "",
        "headshot:Label": shown.label if marks.label else "",
        "headshot:Without": " ".join(marks.left_out),
    }
    said = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items() if value)
    description = escape(shown.text[:_DESCRIPTION_LETTERS])
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{IPTC}" xmlns:headshot="{HEADSHOT}" '
        f'xmlns:dc="{DUBLIN_CORE}" {said}><dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li>'
        '</rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def read(content: bytes) -> Stated:
    """Return what the first XMP packet of a file says, whatever the file's format; nothing where there is none."""
    found = _PACKET.search(content)
    try:
        root = ET.fromstring(found[0]) if found else None
    except ET.ParseError:
        root = None
    if root is None:
        return Stated()
    return Stated(
        source_type=_value(root, f"{{{IPTC}}}DigitalSourceType"),
        label=_value(root, f"{{{HEADSHOT}}}Label"),
        left_out=tuple(_value(root, f"{{{HEADSHOT}}}Without").split()),
    )


def _value(root: ET.Element, name: str) -> str:
    """Return a property, which XMP writes as an attribute or as an element."""
    for node in root.iter(f"{{{RDF}}}Description"):
        if name in node.attrib:
            return node.attrib[name]
        if (child := node.find(name)) is not None:
            return (child.text or "").strip()
    return ""


def with_packet(content: bytes, suffix: str, xmp: bytes) -> bytes:
    """Return a file with its XMP packet where its format has a place for it.

    Args:
        content: Encoded, without XMP.
        suffix: `.png`, `.jpg`, `.webp` or `.mp4`.
        xmp: The packet.
    """
    match suffix:
        case ".png":
            data = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
            chunk = len(data).to_bytes(4) + b"iTXt" + data + zlib.crc32(b"iTXt" + data).to_bytes(4)
            return content[:_PNG_HEADER_BYTES] + chunk + content[_PNG_HEADER_BYTES:]
        case ".jpg":
            head = 4 + int.from_bytes(content[4:6]) if content[2:4] == b"\xff\xe0" else 2  # behind JFIF's own segment
            segment = b"\xff\xe1" + (len(_JPEG_NAME + xmp) + 2).to_bytes(2) + _JPEG_NAME + xmp
            return content[:head] + segment + content[head:]
        case ".webp":
            return _webp(content, xmp)
        case ".mp4":
            return content + (len(xmp) + 24).to_bytes(4) + b"uuid" + _MP4_UUID + xmp
        case _:
            raise ValueError(f"{suffix}: no place for XMP is known")


def _webp(content: bytes, xmp: bytes) -> bytes:
    """Return a WebP file in the extended layout, which alone can hold metadata."""
    kind, body = content[12:16], content[12:]
    if kind == b"VP8 ":
        width, height = (int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    elif kind == b"VP8L":
        sides = int.from_bytes(content[21:25], "little")
        width, height = (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    else:
        raise ValueError(f"a WebP file that begins with {kind!r} is not one that was just encoded")
    header = bytes([_WEBP_XMP_FLAG, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = _riff(b"VP8X", header) + body + _riff(b"XMP ", xmp)
    return _riff(b"RIFF", b"WEBP" + chunks)


def _riff(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
