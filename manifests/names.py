"""Names from other people's files, made safe to be keys and file names."""

import hashlib
import re

LONGEST = 128
ESCAPED = "x."
"""Begins a name that had to be escaped."""
SHORTENED = "h."
"""Begins a name that was too long: its hash, and as much of it as fits."""
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")


def safe_name(text: str) -> str:
    """Return a `manifests.schema.Name` for any text: always the same one, and another one for any other text.

    Most names stay as they are. One that begins with a dash or an underscore, as one in thirty of YouTube's ids
    does, or that holds other characters, gets the prefix `x.` and has everything but letters, digits, dashes and
    underscores written as `.hh`, the bytes of UTF-8. One that is too long then becomes `h.`, its SHA-256 and its
    first characters. Names that begin with either prefix are escaped too, so that nothing else can look like them.
    """
    if _SAFE.fullmatch(text) and len(text) <= LONGEST and not text.startswith((ESCAPED, SHORTENED)):
        return text
    escaped = ESCAPED + re.sub(r"[^A-Za-z0-9_\-]", _bytes_of, text)
    if len(escaped) <= LONGEST:
        return escaped
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{SHORTENED}{digest}.{escaped[len(ESCAPED) :]}"[:LONGEST]


def _bytes_of(match: re.Match[str]) -> str:
    return "".join(f".{byte:02x}" for byte in match[0].encode("utf-8", "surrogatepass"))
