"""The registry is complete and refuses what could not be verified."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from weights.errors import HeadshotError
from weights.registry import Download, PackageMember, find_entry, load_registry

EMBEDDED = {
    "blazeface-short",
    "blazeface-full-sparse",
    "facemesh-468",
    "iris",
    "dlib-68",
    "dlib-resnet-128",
    "fr-feature-512",
    "fr-pose",
    "mobilefacenet-192",
    "lpips-alexnet",
    "lpips-vgg16",
    "efficientnet-lite0",
}
PAPER = {
    "fan-2dfan4",
    "s3fd",
    "inception-2015",
    "i3d-kinetics400",
    "alexnet-torchvision",
    "vgg16-torchvision",
    "vgg19-torchvision",
    "arcface-w600k-r50",
    "scrfd-10g",
    "vggface",
}


def test_every_network_of_both_profiles_is_listed() -> None:
    profile_of = {entry.id: entry.profile for entry in load_registry().values()}

    assert profile_of == dict.fromkeys(EMBEDDED, "embedded") | dict.fromkeys(PAPER, "paper")


@pytest.mark.parametrize("weight_id", sorted(EMBEDDED))
def test_embedded_networks_come_from_packages_and_are_pinned_to_the_bit(weight_id: str) -> None:
    entry = load_registry()[weight_id]

    assert isinstance(entry.source, PackageMember)
    assert len(entry.sha256) == 64


@pytest.mark.parametrize("weight_id", sorted(EMBEDDED | PAPER))
def test_every_network_states_its_terms_and_what_it_was_trained_on(weight_id: str) -> None:
    entry = load_registry()[weight_id]

    assert entry.licence
    assert entry.licence_url.startswith("https://") or "not stated" in entry.licence
    assert entry.training_data


@pytest.mark.parametrize("weight_id", sorted(PAPER - {"i3d-kinetics400", "arcface-w600k-r50", "scrfd-10g", "vggface"}))
def test_hashes_of_torch_files_begin_with_the_digits_in_their_names(weight_id: str) -> None:
    """That is how their publishers state the hash."""
    entry = load_registry()[weight_id]
    digits = entry.file_name.removesuffix(".tar").removesuffix(".pth").rpartition("-")[2]

    assert isinstance(entry.source, Download)
    assert entry.source.url.endswith(f"/{entry.file_name}")
    assert entry.sha256.startswith(digits)


def test_pickled_files_are_converted_and_nothing_else_is() -> None:
    for entry in load_registry().values():
        assert (entry.convert is not None) == entry.file_name.endswith((".pth", ".pth.tar", ".ckpt")), entry.id


def test_one_archive_has_one_hash_and_size_wherever_it_is_listed() -> None:
    """Entries that agree share one download."""
    pinned: dict[str, set[tuple[str | None, int]]] = {}
    for entry in load_registry().values():
        if isinstance(entry.source, PackageMember):
            pinned.setdefault(entry.source.package, set()).add(
                (entry.source.archive_sha256, entry.source.archive_bytes)
            )
        elif isinstance(entry.source, Download):
            pinned.setdefault(entry.source.url, set()).add((entry.source.archive_sha256, entry.source.archive_bytes))

    assert all(len(versions) == 1 for versions in pinned.values()), pinned


def test_an_unknown_id_names_the_nearest_ones() -> None:
    with pytest.raises(HeadshotError, match=r"'facemesh'.*facemesh-468.*weights list"):
        find_entry("facemesh")


def test_an_id_listed_twice_is_refused(write_registry: Callable[..., Path]) -> None:
    entry = {"id": "net", "profile": "paper", "source": {"provider": "file", "how": "Look for it."}}
    write_registry(entry, entry)

    with pytest.raises(ValidationError, match="listed twice: net"):
        load_registry()


@pytest.mark.parametrize("member", ["../net.bin", "/etc/passwd", "a/../../net.bin", "..\\net.bin", ""])
def test_a_member_path_that_leaves_the_archive_is_refused(member: str) -> None:
    with pytest.raises(ValidationError, match="not the path of a file inside an archive"):
        PackageMember(provider="pip", package="demo-nets==1.0", archive_sha256="0" * 64, archive_bytes=1, member=member)


def test_a_member_without_its_whole_hash_is_refused(write_registry: Callable[..., Path]) -> None:
    source = {
        "provider": "npm",
        "package": "nets@1.0.0",
        "archive_sha256": "0" * 64,
        "archive_bytes": 1,
        "member": "net.bin",
    }
    write_registry({"id": "net", "sha256": "12345678", "source": source})

    with pytest.raises(ValidationError, match="net: a member of an archive needs its whole sha256"):
        load_registry()


def test_an_unencrypted_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="url"):
        Download(provider="https", url="http://example.org/net.pth")


def test_the_guide_lists_every_network() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "weights.md").read_text(encoding="utf-8")

    assert [weight_id for weight_id in load_registry() if f"`{weight_id}`" not in guide] == []
