"""Tiny packages, a registry that lists them, and a server on loopback."""

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from weights import registry


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HEADSHOT_CACHE", str(folder))
    return folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def wheel(index: Path) -> Callable[..., Path]:
    """Make `demo_nets-1.0` with the given members and put it into the index."""

    def make(members: Mapping[str, bytes]) -> Path:
        path = index / "demo_nets-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as bundle:
            for name, content in members.items():
                bundle.writestr(name, content)
            bundle.writestr(
                "demo_nets-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo-nets\nVersion: 1.0\n"
            )
            bundle.writestr(
                "demo_nets-1.0.dist-info/WHEEL",
                "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            bundle.writestr("demo_nets-1.0.dist-info/RECORD", "")
        return path

    return make


@pytest.fixture
def tarball() -> Callable[..., Path]:
    """Write a .tar.gz; a member that is a string becomes a symbolic link to it."""

    def make(path: Path, members: Mapping[str, bytes | str]) -> Path:
        with tarfile.open(path, "w:gz") as bundle:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                if isinstance(content, str):
                    info.type, info.linkname = tarfile.SYMTYPE, content
                    bundle.addfile(info)
                else:
                    info.size = len(content)
                    bundle.addfile(info, io.BytesIO(content))
        return path

    return make


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the loopback address under which its files can be downloaded."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def write_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Make the given entries the registry. Fields that do not matter to a test are filled in."""

    def write(*entries: Mapping[str, Any]) -> Path:
        lines = ["schema_version = 1"]
        for entry in entries:
            filled = {
                "task": "landmarks",
                "title": f"Network {entry['id']}",
                "profile": "embedded",
                "file_name": "net.bin",
                "licence": "MIT",
                "training_data": "none",
                **entry,
            }
            source = filled.pop("source")
            # Strings and whole numbers are written alike in JSON and TOML.
            lines += ["[[weights]]", *(f"{key} = {json.dumps(value)}" for key, value in filled.items())]
            lines += ["[weights.source]", *(f"{key} = {json.dumps(value)}" for key, value in source.items())]
        path = tmp_path / "registry.toml"
        path.write_text("\n".join(lines))
        monkeypatch.setattr(registry, "REGISTRY", path)
        registry.load_registry.cache_clear()
        return path

    yield write
    registry.load_registry.cache_clear()


@pytest.fixture
def in_wheel() -> Callable[[Path, str], dict[str, Any]]:
    """Return the `source` of a registry entry for a member of the wheel."""

    def source(archive: Path, member: str) -> dict[str, Any]:
        return {
            "provider": "pip",
            "package": "demo-nets==1.0",
            "archive_sha256": sha256(archive.read_bytes()),
            "archive_bytes": archive.stat().st_size,
            "member": member,
        }

    return source
