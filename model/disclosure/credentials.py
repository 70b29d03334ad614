"""Content credentials: a signed C2PA manifest in the file, and what one that is found says.

Everything is done offline: no timestamp authority, no revocation list, no remote manifest. So a signature holds as
long as its certificate, and nobody vouches for who signed.

Source: C2PA specification 2.2; c2pa-python.
"""

import io
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import c2pa

from model.disclosure import watermark
from model.disclosure.certificate import Certificate, certificate
from model.disclosure.statement import Marks, Shown

MIME = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".mp4": "video/mp4"}
"""By suffix: the formats that can be marked."""
ASSERTION = "org.headshot.disclosure"
CREATED = "c2pa.created"
_SIGNATURE = b"c2pa.signature\0"
"""The name of its box."""
_PADDING = b"\x63pad\x59"
"""CBOR: the text "pad", and a byte string whose length takes two bytes."""

Validity = Literal["none", "valid", "invalid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the manifest of a file says."""

    validity: Validity
    """Whether there is one, and whether nothing of the file was changed since it was signed."""
    ours: bool = False
    """Signed with the certificate that this machine signs with today."""
    signer: str = ""
    """The name in the signer's certificate, which anybody can write."""
    source_type: str = ""
    """The IPTC term of how the content was created."""
    label: str = ""
    left_out: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """Why it is invalid."""


def signed(content: bytes, suffix: str, shown: Shown, marks: Marks) -> bytes:
    """Return a file with a signed manifest in it.

    Args:
        content: The file, with everything else that belongs in it.
        suffix: One of `MIME`.
        shown: What it shows.
        marks: What else it carries.

    Raises:
        HeadshotError: There is no certificate to sign with.
    """
    signing = certificate()
    info = c2pa.C2paSignerInfo("es256", signing.chain_pem.encode(), signing.key_pem.encode(), None)
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(_manifest(shown, marks), _context()) as builder:
        into = io.BytesIO()
        builder.sign(signer, MIME[suffix], io.BytesIO(content), into)
    return into.getvalue()


def _manifest(shown: Shown, marks: Marks) -> dict[str, Any]:
    generator = {"name": "headshot", "version": _version()}
    created = {"action": CREATED, "digitalSourceType": shown.source_type.value, "softwareAgent": generator}
    said = {
        "description": shown.text,
        "label": shown.label if marks.label else "",
        "watermark": watermark.VERSION if marks.watermark else "",
        "without": list(marks.left_out),
        **shown.made_by,
    }
    return {
        "claim_generator_info": [generator],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
            {"label": ASSERTION, "data": said},
        ],
    }


@cache
def _version() -> str:
    try:
        return version("headshot")
    except PackageNotFoundError:
        return "not installed"


@lru_cache(maxsize=4)
def _context(anchor_pem: str = "") -> c2pa.Context:
    """Return the settings of the library: nothing is fetched, and a manifest holds no pictures of its own."""
    settings: dict[str, Any] = {
        "version": 1,
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
    }
    if anchor_pem:
        settings["trust"] = {"user_anchors": anchor_pem}
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def read(content: bytes, suffix: str, known: Certificate | None = None) -> Credentials:
    """Return what the manifest of a file says, and whether the file is as it was signed.

    Args:
        content: The file.
        suffix: One of `MIME`.
        known: The certificate of this machine, to tell whether it signed.
    """
    try:
        with c2pa.Reader(
            MIME[suffix], io.BytesIO(content), context=_context(known.root_pem if known else "")
        ) as reader:
            state, store = reader.get_validation_state(), json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return Credentials(validity="none")
    except (c2pa.C2paError, KeyError) as error:  # the second where the manifest has lost the name of its active part
        return Credentials(validity="invalid", problems=(str(error),))
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})  # empty where it is damaged
    statuses = store.get("validation_status") or []
    problems = [one["code"] for one in statuses if one["code"] != "signingCredential.untrusted"]
    if not _padding_is_empty(content):
        problems.append("padding of the signature was written to")
    assertions = {one["label"]: one.get("data", {}) for one in manifest.get("assertions", [])}
    actions = assertions.get("c2pa.actions.v2", {}).get("actions", [])
    said = assertions.get(ASSERTION, {})
    return Credentials(
        validity="valid" if state in ("Valid", "Trusted") and not problems else "invalid",
        ours=state == "Trusted",
        signer=manifest.get("signature_info", {}).get("common_name", ""),
        source_type=next((one.get("digitalSourceType", "") for one in actions if one["action"] == CREATED), ""),
        label=said.get("label", ""),
        left_out=tuple(said.get("without", ())),
        problems=tuple(problems),
    )


def _padding_is_empty(content: bytes) -> bool:
    """Return whether the reserve of the signature's box holds nothing: the signature does not cover it."""
    start = content.find(_PADDING, content.find(_SIGNATURE))
    if start < 0:
        return True
    begins = start + len(_PADDING) + 2
    return not any(content[begins : begins + int.from_bytes(content[begins - 2 : begins])])
