"""`headshot disclose`: which marks of synthetic media files carry, and what they are signed with."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import Bar, err, out, progress_bars, table
from weights.errors import HeadshotError

if TYPE_CHECKING:
    from model.disclosure.credentials import Credentials
    from model.disclosure.verification import Listing, Verdict

_SHORT = {
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia": "generated",
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia": "composite",
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic": "altered",
}
MOST_ROWS = 40
"""Files listed by name; those that lack something come first."""

app = typer.Typer(name="disclose", help="Read the marks of synthetic pictures and videos.", no_args_is_help=True)


@app.command(name="verify")
def verify_command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pictures, videos, or folders of them such as a media/.")
    ],
) -> None:
    """Say whether files verify as synthetic: label, IPTC source type, C2PA manifest, watermark.

    The label in the picture is for people; here counts what the metadata say of it. In folders, files whose names begin
    with recorded- show nothing synthetic and are only counted. Exit code 0 if every other file carries every mark, 1 if
    one does not.

    Example: [bold]headshot disclose verify drive.mp4 reports/out/demo/media[/]
    """
    from model.disclosure.certificate import present
    from model.disclosure.verification import find, verify

    listing, known = find(tuple(files)), present()
    with progress_bars() as bars:
        bar, verdicts = Bar(bars, "reading marks"), []
        for path in listing.files:
            verdicts.append(verify(path, known))
            bar.show(len(verdicts), len(listing.files))
    _print(listing, sorted(verdicts, key=lambda verdict: verdict.complete))
    if not all(verdict.complete for verdict in verdicts):
        raise typer.Exit(1)


@app.command(name="certificate")
def certificate_command(
    chain: Annotated[
        Path | None, typer.Option("--use", help="Sign with this one from now on: a PEM file, the signer's first.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Its key: a PEM file, curve P-256.")] = None,
) -> None:
    """Show what published media are signed with; the first use makes a certificate of this machine's own.

    --use and --key put another one in its place. Where nothing may be kept on the machine, set HEADSHOT_CERTIFICATE and
    HEADSHOT_KEY to the two files instead.

    Example: [bold]headshot disclose certificate --use chain.pem --key key.pem[/]
    """
    from cryptography.hazmat.primitives.hashes import SHA256

    from model.disclosure.certificate import certificate, keep

    if (chain is None) != (key is None):
        raise HeadshotError("--use is a certificate and --key is its key; give both, or neither to see the present one")
    found = certificate() if chain is None or key is None else keep(chain, key)
    out.print(
        f"{found.source}\n  signer   {found.leaf.subject.rfc4514_string()}\n"
        f"  issuer   {found.leaf.issuer.rfc4514_string()}\n"
        f"  expires  {found.ends:%Y-%m-%d}; what was signed with it does not verify any longer than that\n"
        f"  SHA-256  {found.leaf.fingerprint(SHA256()).hex()}",
        markup=False,
    )


def _print(listing: "Listing", verdicts: Sequence["Verdict"]) -> None:
    rows = table("Marks", "file", "label", "IPTC", "C2PA", "watermark", "verdict")
    for verdict in verdicts[:MOST_ROWS]:
        rows.add_row(*_row(verdict))
    if verdicts:
        out.print(rows)
    for verdict in verdicts[:MOST_ROWS]:
        if verdict.credentials.problems:
            out.print(f"{verdict.path}: {', '.join(verdict.credentials.problems)}", markup=False)
    if len(verdicts) > MOST_ROWS:
        out.print(f"and {len(verdicts) - MOST_ROWS:,} more")
    complete, missing = (
        sum(verdict.complete for verdict in verdicts),
        Counter(name for verdict in verdicts for name in verdict.missing),
    )
    out.print(f"{complete:,} of {len(verdicts):,} files verify as synthetic by every mark", markup=False)
    if listing.recorded:
        out.print(f"{listing.recorded:,} more say by their name that they were recorded; these were not verified")
    if missing:
        listed = ", ".join(f"{name} in {count:,}" for name, count in missing.items())
        err.print(f"missing or not intact: {listed}", markup=False)


def _row(verdict: "Verdict") -> tuple[str, ...]:
    from rich.markup import escape

    stated, watermark = verdict.stated, verdict.watermark
    turned_off = verdict.credentials.left_out or stated.left_out
    missing = ", ".join(verdict.missing)
    bits = "unreadable" if watermark is None else f"{32 - watermark.wrong_bits} of 32 bits"
    cells = (
        str(verdict.path),
        stated.label or "not stated",
        _SHORT.get(stated.source_type, stated.source_type.rsplit("/", 1)[-1]) or "none",
        _about(verdict.credentials),
        "none" if watermark is not None and not watermark.found else bits,
        ("synthetic" if verdict.complete else f"lacks {missing}")
        + (f" (turned off: {', '.join(turned_off)})" if turned_off else ""),
    )
    return tuple(map(escape, cells))


def _about(found: "Credentials") -> str:
    if found.validity == "none":
        return "none"
    if found.validity == "invalid":
        return "INVALID"
    return "valid, signed here" if found.ours else f"valid, by {found.signer or 'nobody'} (not known here)"
