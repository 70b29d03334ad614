"""The certificate that manifests are signed with: one of this machine's own, made on first use, or the user's."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from weights.cache import cache_dir, workspace
from weights.errors import HeadshotError
from weights.files import publish

CERTIFICATE_VARIABLE, KEY_VARIABLE = "HEADSHOT_CERTIFICATE", "HEADSHOT_KEY"
CHAIN_FILE, KEY_FILE = "chain.pem", "key.pem"
YEARS = 10
"""How long a certificate of this machine holds: without a timestamp authority, a signature holds no longer either."""
CLOCK_LAG = timedelta(days=1)
ORGANISATION = "headshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A chain of certificates, the signer's first, and the signer's key."""

    chain_pem: str
    key_pem: str
    source: str
    """Where it is from, for messages."""

    @property
    def leaf(self) -> x509.Certificate:
        """The signer's own certificate."""
        return x509.load_pem_x509_certificates(self.chain_pem.encode())[0]

    @property
    def root_pem(self) -> str:
        """The last of the chain."""
        last = x509.load_pem_x509_certificates(self.chain_pem.encode())[-1]
        return last.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def ends(self) -> datetime:
        """When it expires, and with it everything that was signed with it."""
        return self.leaf.not_valid_after_utc


def folder() -> Path:
    """Return where this machine's certificate and key lie."""
    return cache_dir() / "certificate"


def certificate() -> Certificate:
    """Return the certificate to sign with; makes one where there is none yet.

    It is that of the environment variables `HEADSHOT_CERTIFICATE` and `HEADSHOT_KEY` (paths of PEM files), else this
    machine's.

    Raises:
        HeadshotError: Only one of the two is given, a file is not what it should be, the key is another one's, or the
            certificate is not valid today.
    """
    named = {name: os.environ.get(name, "") for name in (CERTIFICATE_VARIABLE, KEY_VARIABLE)}
    if all(named.values()):
        return read_certificate(Path(named[CERTIFICATE_VARIABLE]), Path(named[KEY_VARIABLE]))
    if any(named.values()):
        missing = next(name for name, value in named.items() if not value)
        raise HeadshotError(f"{missing} is not set, and the other one is: a certificate needs its key; set both")
    return _own()


def present() -> Certificate | None:
    """Return the certificate to sign with, None where there is none yet or it cannot be used."""
    given = os.environ.get(CERTIFICATE_VARIABLE) or os.environ.get(KEY_VARIABLE)
    if not given and not (folder() / CHAIN_FILE).is_file():
        return None
    try:
        return certificate()
    except HeadshotError:
        return None


def read_certificate(chain: Path, key: Path) -> Certificate:
    """Return the certificate in two PEM files.

    Raises:
        HeadshotError: A file is not there or not what it should be, the key is another one's, or the certificate is
            not valid today.
    """
    try:
        found = Certificate(chain_pem=chain.read_text(), key_pem=key.read_text(), source=str(chain))
        public = serialization.load_pem_private_key(found.key_pem.encode(), None).public_key()
        leaf = found.leaf
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise HeadshotError(
            f"{chain} and {key} do not hold a chain of certificates and an unencrypted key as PEM: {error}"
        ) from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise HeadshotError(f"{key}: headshot signs with keys of the curve P-256 (ES256); give such a key")
    if leaf.public_key() != public:
        raise HeadshotError(
            f"{key} is not the key of the first certificate in {chain}; give the two that belong together"
        )
    now = datetime.now(UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise HeadshotError(
            f"{chain} is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}, not "
            f"today ({now:%Y-%m-%d}); give a certificate that is, or remove this one: headshot then makes its own"
        )
    return found


def keep(chain: Path, key: Path) -> Certificate:
    """Sign with this certificate from now on: it takes the place of the machine's own.

    Raises:
        HeadshotError: As `read_certificate`.
    """
    found = read_certificate(chain, key)
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_private(folder() / KEY_FILE, found.key_pem.encode())
    _write_private(folder() / CHAIN_FILE, found.chain_pem.encode())
    return _own()


def _own() -> Certificate:
    """Return this machine's certificate, made once by whoever comes first."""
    chain, key = folder() / CHAIN_FILE, folder() / KEY_FILE
    if not chain.is_file():
        with workspace("certificate"):
            if not chain.is_file():
                _make(chain, key)
    return read_certificate(chain, key)


def _make(chain: Path, key: Path) -> None:
    """Write a new root, a signer below it and the signer's key; nobody keeps the key of the root."""
    chain.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, leaf_name = _name("headshot, root of this machine"), _name("headshot, on this machine")
    root = (
        _builder(root_name, root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _builder(leaf_name, root_name, leaf_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    secret = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_private(key, secret)
    _write_private(chain, b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (leaf, root)))


def _write_private(path: Path, content: bytes) -> None:
    with publish(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - the descriptor carries the permissions
            file.write(content)


def _name(common_name: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, ORGANISATION), (NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_LAG)
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    """Return what a key is for: to sign content, or to sign certificates."""
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not sign,
        crl_sign=not sign,
        encipher_only=False,
        decipher_only=False,
    )
