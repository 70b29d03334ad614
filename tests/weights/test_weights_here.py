"""Weights that are here: listed, verified, replaced, and brought by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.weights.conftest import NET, OTHER, at_address, files_in, sha256
from weights.errors import HeadshotError
from weights.fetch import add, available, fetch, list_weights, verify


def test_the_list_shows_what_is_in_the_cache(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    (folder / "net.bin").write_bytes(NET)
    own = {"id": "own", "profile": "paper", "source": {"provider": "file", "how": "Look for it."}}
    write_registry(at_address(address, NET), own)

    assert [(status.entry.id, status.path) for status in list_weights()] == [("net", None), ("own", None)]
    path = fetch("net")
    assert [(status.entry.id, status.path) for status in list_weights("paper")] == [
        ("net", path),
        ("own", None),
    ]
    assert list_weights("embedded") == ()


def test_verify_removes_a_file_that_changed_so_that_the_next_fetch_replaces_it(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    (folder / "net.bin").write_bytes(NET)
    write_registry(at_address(address, NET))
    path = fetch("net")
    assert [status.path for status in verify()] == [path]
    path.write_bytes(NET[::-1])

    (status,) = verify()

    assert status.path is None
    assert status.reason is not None and "`headshot weights fetch net`" in status.reason
    assert available("net") is None
    assert fetch("net").read_bytes() == NET


def test_a_truncated_file_is_not_taken_for_the_weight(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    (folder / "net.bin").write_bytes(NET)
    write_registry(at_address(address, NET))
    fetch("net").write_bytes(NET[:5])

    assert available("net") is None
    assert fetch("net").read_bytes() == NET


def test_a_new_pin_in_the_registry_makes_the_cached_file_out_of_date(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    (folder / "net.bin").write_bytes(NET)
    write_registry(at_address(address, NET))
    fetch("net")
    (folder / "net.bin").write_bytes(OTHER)
    write_registry(at_address(address, OTHER))

    assert available("net") is None
    assert fetch("net").read_bytes() == OTHER


def test_a_file_from_elsewhere_can_be_added_and_stays_where_it_is(
    empty_cache: Path, write_registry: Callable[..., Path], tmp_path: Path
) -> None:
    write_registry(at_address("https://example.org", NET))
    mine = tmp_path / "mine.bin"
    mine.write_bytes(NET)

    path = add("net", mine)

    assert path.read_bytes() == NET
    assert fetch("net") == path
    assert mine.read_bytes() == NET


def test_an_archive_from_elsewhere_can_be_added_for_its_member(
    empty_cache: Path, make_tarball: Callable[..., Path], write_registry: Callable[..., Path], tmp_path: Path
) -> None:
    archive = make_tarball(tmp_path / "nets-1.0.0.tgz", {"package/net.bin": NET})
    source = {
        "provider": "npm",
        "package": "nets@1.0.0",
        "archive_sha256": sha256(archive.read_bytes()),
        "archive_bytes": archive.stat().st_size,
        "member": "package/net.bin",
    }
    write_registry({"id": "net", "sha256": sha256(NET), "source": source})

    assert add("net", archive).read_bytes() == NET


def test_a_user_file_without_a_published_hash_is_added_as_it_is(
    empty_cache: Path, write_registry: Callable[..., Path], tmp_path: Path
) -> None:
    source = {"provider": "file", "how": "Look for it."}
    write_registry({"id": "net", "profile": "paper", "source": source})
    mine = tmp_path / "mine.bin"
    mine.write_bytes(NET)

    assert add("net", mine).read_bytes() == NET


def test_adding_the_wrong_file_is_refused_and_leaves_nothing(
    empty_cache: Path, write_registry: Callable[..., Path], tmp_path: Path
) -> None:
    write_registry(at_address("https://example.org", NET))
    mine = tmp_path / "mine.bin"
    mine.write_bytes(OTHER)

    with pytest.raises(HeadshotError, match=rf"mine\.bin has the sha256 {sha256(OTHER)}.*was not added"):
        add("net", mine)
    with pytest.raises(HeadshotError, match="is not a file"):
        add("net", tmp_path / "absent")
    assert files_in(empty_cache) == []
