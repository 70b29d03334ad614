"""Where a number comes from: code revision, package versions, machine, networks."""

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from eval.rendering.cost import processor_name
from eval.runs.results import GitRecord, HardwareRecord, WeightRecord
from weights.fetch import fetch
from weights.files import sha256_of
from weights.registry import PackageMember, UserFile, find_entry

_PACKAGES = (
    "headshot",
    "ai-edge-litert",
    "insightface",
    "lpips",
    "numpy",
    "onnxruntime",
    "opencv-python",
    "pyarrow",
    "pytorch-fid",
    "scipy",
    "torch",
    "torchvision",
)


def git_revision() -> GitRecord | None:
    """Return the revision of this code; None where it does not run from a git checkout of its own."""
    folder = Path(__file__).parent
    # A checkout of something else around an installed copy is not ours: this very file must be tracked.
    if _git(folder, "ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    revision, changes = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain")
    if revision is None or changes is None:
        return None
    return GitRecord(revision=revision, dirty=bool(changes))


def package_versions() -> dict[str, str]:
    """Return the versions of the installed packages that scores depend on."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # not every one is needed by every run
    return versions


def hardware() -> HardwareRecord:
    """Return what this machine is."""
    import torch

    return HardwareRecord(
        processor=processor_name(),
        cores=usable_cores(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        accelerator=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        platform=platform.platform(),
    )


def usable_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def weight_records(weight_ids: Iterable[str]) -> tuple[WeightRecord, ...]:
    """Return hash, licence and source of networks; they are fetched where they are missing.

    Raises:
        WeightUnavailable: A network cannot be had; the message says how to get it.
    """
    return tuple(_weight_record(weight_id) for weight_id in dict.fromkeys(weight_ids))


def _weight_record(weight_id: str) -> WeightRecord:
    entry, path = find_entry(weight_id), fetch(weight_id)
    match entry.source:
        case PackageMember(provider=provider, package=package):
            source = f"{provider} {package}"
        case UserFile():
            source = "a file of the user"
        case download:
            source = download.url
    return WeightRecord(id=weight_id, sha256=sha256_of(path), licence=entry.licence, source=source)


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
