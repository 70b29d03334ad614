"""The certificate: made once, kept private, refused where it is not valid."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from model.disclosure import certificate as certificates
from model.disclosure.certificate import CHAIN_FILE, KEY_FILE, certificate, folder, keep, present, read_certificate
from weights.errors import HeadshotError


def test_the_first_use_makes_one_that_only_its_owner_can_read(own_cache: Path) -> None:
    assert present() is None
    made = certificate()
    assert folder().is_relative_to(own_cache)
    assert {path.name for path in folder().iterdir()} == {CHAIN_FILE, KEY_FILE}
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder().iterdir())
    assert certificate() == made == present(), "the next use finds it"
    assert made.ends - datetime.now(UTC) > timedelta(days=3000)


def test_an_expired_one_is_refused_and_the_message_says_when_it_ended(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "YEARS", 0)
    with pytest.raises(HeadshotError, match=r"chain\.pem is valid from .* not today .* remove this one"):
        certificate()
    assert present() is None


def test_an_own_one_is_taken_from_the_environment(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate()
    theirs = folder().rename(tmp_path / "theirs")
    monkeypatch.setenv("HEADSHOT_CERTIFICATE", str(theirs / CHAIN_FILE))
    with pytest.raises(HeadshotError, match="HEADSHOT_KEY is not set"):
        certificate()
    monkeypatch.setenv("HEADSHOT_KEY", str(theirs / KEY_FILE))
    assert certificate().source == str(theirs / CHAIN_FILE)
    assert not folder().exists()


def test_another_one_is_kept_in_place_of_the_machines_own(own_cache: Path, tmp_path: Path) -> None:
    certificate()
    theirs = folder().rename(tmp_path / "theirs")
    own = certificate()
    kept = keep(theirs / CHAIN_FILE, theirs / KEY_FILE)
    assert kept == certificate() != own
    assert kept.chain_pem == (theirs / CHAIN_FILE).read_text()
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder().iterdir())
    (theirs / KEY_FILE).write_text(own.key_pem)
    with pytest.raises(HeadshotError, match="is not the key of"):
        keep(theirs / CHAIN_FILE, theirs / KEY_FILE)
    assert certificate() == kept, "a refused one changes nothing"


def test_the_key_of_another_certificate_is_refused(own_cache: Path, tmp_path: Path) -> None:
    certificate()
    first = folder().rename(tmp_path / "first")
    certificate()
    with pytest.raises(HeadshotError, match="is not the key of"):
        read_certificate(first / CHAIN_FILE, folder() / KEY_FILE)


@pytest.mark.parametrize("content", ["", "nothing of this kind", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_files_that_hold_something_else_are_refused(own_cache: Path, tmp_path: Path, content: str) -> None:
    certificate()
    (tmp_path / "wrong.pem").write_text(content)
    with pytest.raises(HeadshotError, match="do not hold"):
        read_certificate(tmp_path / "wrong.pem", folder() / KEY_FILE)
    with pytest.raises(HeadshotError, match="do not hold"):
        read_certificate(folder() / CHAIN_FILE, tmp_path / "wrong.pem")
    with pytest.raises(HeadshotError, match="No such file"):
        read_certificate(tmp_path / "nowhere.pem", folder() / KEY_FILE)
