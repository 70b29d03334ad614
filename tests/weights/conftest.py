"""A registry that lists tiny files, and a server on loopback that offers them."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from weights import registry

NET = b"the numbers of a network"
OTHER = b"the numbers of another network"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.parent.name != "locks")


def at_address(address: str, content: bytes, **fields: Any) -> dict[str, Any]:
    """An entry for a file that lies at an address."""
    source = {"provider": "https", "url": f"{address}/net.bin"}
    return {"id": "net", "profile": "paper", "sha256": sha256(content), "source": source, **fields}


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
