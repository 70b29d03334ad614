"""Files that are made to hurt whoever opens them."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tests.pipeline.conftest import disc_frames, encode_video

HUGE_PX = 100_000


def header_bombs(folder: Path) -> Iterator[Path]:
    """Yield small files that claim pictures of 100,000 x 100,000 pixels, or as many as their format can say."""
    plain = disc_frames(3)
    avi = encode_video(folder / "plain.avi", plain, "25", ("-c:v", "rawvideo", "-pix_fmt", "yuv420p")).read_bytes()
    yield _written(folder / "bomb.avi", _patched(avi, struct.pack("<ii", 200, 120), struct.pack("<ii", *HUGE)))
    png = encode_video(folder / "plain.mov", plain, "25", ("-c:v", "png")).read_bytes()
    yield _written(folder / "bomb.mov", _with_png_header(png, struct.pack(">II", *HUGE)))
    mp4 = encode_video(folder / "plain.mp4", plain, "25", ("-c:v", "mjpeg")).read_bytes()
    said = _patched(mp4, struct.pack(">HH", 200, 120), b"\xff\xff\xff\xff")
    yield _written(folder / "bomb.mp4", _patched(said, struct.pack(">BHH", 8, 120, 200), b"\x08\xff\xff\xff\xff"))
    gif = encode_video(folder / "plain.gif", plain, "25", ()).read_bytes()
    yield _written(folder / "bomb.gif", gif[:6] + b"\xff\xff\xff\xff" + gif[10:])
    yield _written(folder / "bomb.mkv", _matroska(b"V_MPEG4/ISO/ASP", HUGE, [b"\0" * 64]))
    yield _written(folder / "bomb.264", _h264_header(HUGE_PX) * 2)
    jpeg = _jpeg(mp4)
    yield _written(folder / "stretched.mkv", _matroska(b"V_MJPEG", (200, 120), [jpeg] * 3, shown=(HUGE_PX, 120)))


def inflating(folder: Path) -> Path:
    """Return a PNG in QuickTime whose header says 200 x 120 and whose picture has 16,000 x 16,000 black pixels."""
    side = 16_000
    rows = zlib.compress((b"\0" * (side + 1)) * side, 9)
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    image = b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", rows) + _png_chunk(b"IEND", b"")
    return _written(
        folder / "inflating.mkv", _matroska(b"V_MS/VFW/FOURCC", (200, 120), [image], _bitmap_header(b"MPNG"))
    )


def gif_of_many_canvases(folder: Path) -> Path:
    """Return a GIF of 8,000 x 8,000 pixels whose 2,000 frames each paint one of them."""
    frame = (
        b"\x21\xf9\x04\x04\x04\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    )
    head = b"GIF89a" + struct.pack("<HHBBB", 8000, 8000, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    return _written(folder / "canvases.gif", head + frame * 2000 + b"\x3b")


def playlists(folder: Path, file: Path, url: str) -> Iterator[Path]:
    """Yield files that name another file or a host, under their own names and as `.mp4`."""
    texts = {}
    for what, target in (("file", str(file)), ("scheme", f"file:{file}"), ("host", f"{url}/a.mp4")):
        texts |= {
            f"{what}.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n",
            f"{what}-key.m3u8": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:4,\n{target}\n',
            f"{what}.ffconcat": f"ffconcat version 1.0\nfile '{target}'\n",
            f"{what}.concat": f"file '{target}'\n",
            f"{what}.mpd": _dash(target),
            f"{what}.ism": f"[playlist]\nFile1={target}\n",
            f"{what}.sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\na={target}\n",
            f"{what}.txt": f"concat:{target}|{target}\n",
            f"{what}.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{target}"/></svg>',
        }
    for name, text in texts.items():
        yield _written(folder / name, text.encode())
        yield _written(folder / f"{name}.mp4", text.encode())
    yield _with_reference(folder, file)


def tiny_boxes(folder: Path) -> Iterator[Path]:
    """Yield MP4 and Matroska files whose boxes are smaller or larger than anything that could be in them."""
    whole = encode_video(folder / "boxes.mp4", disc_frames(5), "25", ("-c:v", "mpeg4")).read_bytes()
    for size in (0, 1, 7, 2**31, 2**32 - 1):
        for box in (b"moov", b"stsz", b"stsd", b"stco"):
            place = whole.index(box)
            yield _written(
                folder / f"{box.decode()}-{size}.mp4", whole[: place - 4] + struct.pack(">I", size) + whole[place:]
            )
    for box, offset, count in ((b"stsz", 12, 2**31 - 1), (b"stts", 8, 2**32 - 1), (b"stsc", 8, 2**32 - 1)):
        place = whole.index(box) + offset
        yield _written(
            folder / f"{box.decode()}-count.mp4", whole[:place] + struct.pack(">I", count) + whole[place + 4 :]
        )
    for name, size in (("cluster", 2**56 - 2), ("block", 2**55)):
        yield _written(folder / f"{name}.mkv", _matroska(b"V_MPEG4/ISO/ASP", (64, 48), [b"\0" * 32], lie=(name, size)))
    yield _written(folder / "nested.mkv", _element(0x1A45DFA3, b"") + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 * 2000)


def million_samples(folder: Path) -> Path:
    """Return a small MP4 whose tables claim 80 million samples of one byte: an index of two gigabytes."""
    whole = encode_video(folder / "samples.mp4", disc_frames(1), "25", ("-c:v", "mpeg4")).read_bytes()
    count = struct.pack(">I", 80_000_000)
    for box, offset, value in ((b"stsz", 8, struct.pack(">I", 1) + count), (b"stts", 12, count), (b"stsc", 16, count)):
        place = whole.index(box) + offset
        whole = whole[:place] + value + whole[place + len(value) :]
    return _written(folder / "samples-80m.mp4", whole)


def far_apart(folder: Path) -> Path:
    """Return a Matroska file whose frames are as far apart in time as can be said."""
    jpeg = _jpeg(encode_video(folder / "one.mp4", disc_frames(1), "25", ("-c:v", "mjpeg")).read_bytes())
    return _written(folder / "far.mkv", _matroska(b"V_MJPEG", (200, 120), [jpeg] * 40, step=2**56))


def corrupted(whole: bytes, seed: int) -> bytes:
    """Return the bytes with every thousandth one changed."""
    rng = np.random.default_rng(seed)
    damaged = bytearray(whole)
    for place in range(int(rng.integers(1000)), len(damaged), 1000):
        damaged[place] ^= int(rng.integers(1, 256))
    return bytes(damaged)


HUGE = (HUGE_PX, HUGE_PX)


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _patched(whole: bytes, old: bytes, new: bytes) -> bytes:
    assert old in whole, "the file is not laid out as this test expects"
    return whole.replace(old, new)


def _jpeg(whole: bytes) -> bytes:
    """Return the first JPEG of a file."""
    start = whole.index(b"\xff\xd8")
    return whole[start : whole.index(b"\xff\xd9", start) + 2]


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _with_png_header(whole: bytes, size: bytes) -> bytes:
    """Change the size in every PNG, with the checksum that belongs to it."""
    parts = whole.split(b"\0\0\0\x0dIHDR")
    return parts[0] + b"".join(_png_chunk(b"IHDR", size + part[8:13]) + part[17:] for part in parts[1:])


def _bitmap_header(codec: bytes) -> bytes:
    return struct.pack("<IiiHH4sIiiII", 40, 200, 120, 1, 24, codec, 0, 0, 0, 0, 0)


def _element(kind: int, content: bytes, size: int | None = None) -> bytes:
    """Return an EBML element; its length field takes eight bytes, so that any size can be claimed."""
    length = len(content) if size is None else size
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big") + (2**56 | length).to_bytes(8, "big") + content


def _number(kind: int, value: int) -> bytes:
    return _element(kind, value.to_bytes(8, "big"))


def _matroska(
    codec: bytes,
    size: tuple[int, int],
    frames: Sequence[bytes],
    private: bytes = b"",
    *,
    step: int = 40,
    shown: tuple[int, int] | None = None,
    lie: tuple[str, int] = ("", 0),
) -> bytes:
    """Return a Matroska file with one cluster a frame, `step` milliseconds apart."""

    def claimed(name: str) -> int | None:
        return lie[1] if lie[0] == name else None

    ebml = _element(0x1A45DFA3, _element(0x4282, b"matroska"))
    info = _element(0x1549A966, _number(0x2AD7B1, 1_000_000))
    display = _number(0x54B0, shown[0]) + _number(0x54BA, shown[1]) if shown else b""
    video = _element(0xE0, _number(0xB0, size[0]) + _number(0xBA, size[1]) + display)
    track = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1) + _element(0x86, codec) + video
    tracks = _element(0x1654AE6B, _element(0xAE, track + (_element(0x63A2, private) if private else b"")))
    clusters = b"".join(
        _element(
            0x1F43B675,
            _number(0xE7, (number * step) % 2**63) + _element(0xA3, b"\x81\0\0\x80" + frame, claimed("block")),
            claimed("cluster"),
        )
        for number, frame in enumerate(frames)
    )
    return ebml + _element(0x18538067, info + tracks + clusters)


def _h264_header(side_px: int) -> bytes:
    """Return a sequence and a picture parameter set of H.264, baseline profile, and the start of a picture."""
    macroblocks = -(-side_px // 16) - 1

    def code(value: int) -> str:
        bits = format(value + 1, "b")
        return "0" * (len(bits) - 1) + bits

    def unit(kind: int, bits: str) -> bytes:
        bits += "1"
        bits += "0" * (-len(bits) % 8)
        return b"\0\0\0\x01" + bytes([kind]) + int(bits, 2).to_bytes(len(bits) // 8, "big")

    size = "".join(code(value) for value in (0, 0, 2, 0)) + "0" + code(macroblocks) + code(macroblocks)
    sequence = format(66, "08b") + "11000000" + format(62, "08b") + size + "1100"
    picture = code(0) + code(0) + "00" + code(0) * 3 + "000" + code(0) * 3 + "000"
    return unit(0x67, sequence) + unit(0x68, picture) + unit(0x65, code(0) + code(7) + code(0) + "0" * 64)


def _dash(target: str) -> str:
    return (
        '<?xml version="1.0"?>'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S">'
        f'<Period><AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1"><BaseURL>{target}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    )


def _with_reference(folder: Path, file: Path) -> Path:
    """Return a QuickTime file whose samples lie in another file, which it names by an alias record."""
    whole = encode_video(folder / "own.mov", disc_frames(30), "25", ("-c:v", "mjpeg")).read_bytes()
    name = str(file).encode()
    alias = bytearray(150)
    alias[10], alias[50] = 1, len(file.name)
    alias[51 : 51 + len(file.name)] = file.name.encode()
    record = bytes(alias[:150]) + struct.pack(">hH", 2, len(name)) + name + b"\0" * (len(name) % 2) + b"\xff\xff\0\0"
    entry = struct.pack(">I", 12 + len(record)) + b"alis" + b"\0\0\0\0" + record
    return _written(
        folder / "reference.mov", _replaced(whole, (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"), entry)
    )


def _replaced(boxes: bytes, path: Sequence[bytes], entry: bytes) -> bytes:
    """Return the boxes with the only entry of the `dref` box at the end of `path` replaced."""
    made, place = b"", 0
    while place < len(boxes):
        (size,) = struct.unpack(">I", boxes[place : place + 4])
        kind, content = boxes[place + 4 : place + 8], boxes[place + 8 : place + size]
        if kind == path[0] and kind == b"dref":
            content = content[:8] + entry
        elif kind == path[0]:
            content = _replaced(content, path[1:], entry)
        made += struct.pack(">I", 8 + len(content)) + kind + content
        place += size
    return made
