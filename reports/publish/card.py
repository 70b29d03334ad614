"""The picture that stands for a report where a link to it is shared: text and a chart, and no faces."""

import io
import unicodedata
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from reports.numbers import plural
from reports.publish.summary import Chart, Summary

WIDTH_PX, HEIGHT_PX = 1200, 630
MARGIN_PX = 64
PAPER, INK, SOFT, RULE, ACCENT = "#ffffff", "#1d2025", "#565b64", "#dcdcd6", "#0b5a86"
MOST_ROWS = 6
"""Systems in the chart."""
_PLAIN = str.maketrans({"–": "-", "—": "-", "−": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "…": "...", "×": "x"})


def card(summary: Summary) -> bytes:
    """Return the card of a report as PNG, 1200 x 630 pixels; the same summary gives the same bytes.

    The font is the one that Pillow carries, so that the card looks the same everywhere. It has no letters beyond ASCII:
    accents are left out, and what has no likeness becomes a question mark.
    """
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), PAPER)
    draw = ImageDraw.Draw(image)
    _write(draw, (MARGIN_PX, 44), "headshot · few-shot talking heads", 26, SOFT)
    if summary.quick_look:
        _badge(draw, "quick look")
    bottom = _paragraph(draw, 92, summary.title, 44, lines=2, bold=True)
    bottom = _paragraph(draw, bottom + 12, summary.headline, 31, lines=2)
    if summary.chart is not None:
        _draw_chart(draw, summary.chart, top=bottom + 22)
    draw.line((MARGIN_PX, 566, WIDTH_PX - MARGIN_PX, 566), RULE, 2)
    _write(draw, (MARGIN_PX, 580), f"{summary.sample} · {summary.day}", 24, SOFT)
    return _png(image)


def plain(text: str) -> str:
    """Return text in ASCII and the middle dot: what the font has."""
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    kept = (one for one in " ".join(apart.split()) if not unicodedata.combining(one))
    return "".join(one if one == "·" or (one.isascii() and one.isprintable()) else "?" for one in kept)


def alternative(summary: Summary) -> str:
    """Return what is on the card, in words."""
    return f"{summary.title}. {summary.headline}. {summary.sample}."


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType, and cannot write on a card")
    return font


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size_px: int, colour: str, *, bold: bool = False
) -> None:
    draw.text(at, plain(text), colour, _font(size_px), stroke_width=1 if bold else 0, stroke_fill=colour)


def _paragraph(draw: ImageDraw.ImageDraw, top: int, text: str, size_px: int, *, lines: int, bold: bool = False) -> int:
    """Write text in at most so many lines, and return where it ends."""
    for line in wrapped(text, size_px, WIDTH_PX - 2 * MARGIN_PX, lines):
        _write(draw, (MARGIN_PX, top), line, size_px, INK, bold=bold)
        top += round(1.22 * size_px)
    return top


def wrapped(text: str, size_px: int, width_px: float, lines: int) -> list[str]:
    """Return the text in at most so many lines of that width; what does not fit becomes three dots."""
    font, found = _font(size_px), [""]
    for word in plain(text).split():
        longer = f"{found[-1]} {word}".strip()
        if font.getlength(longer) <= width_px:
            found[-1] = longer
        else:
            found.append(word)
    kept = [line for line in found if line][:lines]
    if len(found) > lines:
        kept[-1] += " ..."
    return [_fitting(line, font, width_px) for line in kept]


def _fitting(line: str, font: ImageFont.FreeTypeFont, width_px: float) -> str:
    while font.getlength(line) > width_px:
        line = f"{line.removesuffix('...')[:-1].rstrip()}..."
    return line


def _badge(draw: ImageDraw.ImageDraw, text: str) -> None:
    right, width = WIDTH_PX - MARGIN_PX, _font(24).getlength(text)
    draw.rounded_rectangle((right - width - 28, 40, right, 80), 4, INK)
    _write(draw, (right - width - 14, 46), text, 24, PAPER)


def _draw_chart(draw: ImageDraw.ImageDraw, chart: Chart, top: int) -> None:
    """Draw the best systems, each with its value as a dot on its interval."""
    shown, left, right = chart.rows[:MOST_ROWS], 400, WIDTH_PX - MARGIN_PX - 110
    more = len(chart.rows) - len(shown)
    caption = f"{chart.caption}; {plural(more, 'more system')}" if more else chart.caption
    _write(draw, (MARGIN_PX, top), wrapped(caption, 22, WIDTH_PX - 2 * MARGIN_PX, 1)[0], 22, SOFT)
    top, step = top + 38, min(40, (552 - top - 38) // len(shown))
    ends = [end for row in shown for end in (row.value, row.low, row.high) if end is not None]
    low, high = min(ends), max(ends)
    scale = (right - left) / (high - low) if high > low else 0.0
    for place, row in enumerate(shown):
        middle = top + step * place + step // 2
        name = wrapped(row.system, 22, left - MARGIN_PX - 24, 1)[0]
        _write(draw, (MARGIN_PX, middle - 13), name, 22, INK)
        if row.low is not None and row.high is not None:
            draw.line((left + scale * (row.low - low), middle, left + scale * (row.high - low), middle), ACCENT, 4)
        dot = left + scale * (row.value - low)
        draw.ellipse((dot - 8, middle - 8, dot + 8, middle + 8), ACCENT)
        _write(draw, (right + 26, middle - 13), row.text, 22, INK)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
