"""Checkpoints: tensors in safetensors, everything else in JSON, nothing pickled, nothing forgiven on loading."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self, TypeVar

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from manifests.schema import Record
from model.baseline_presets import Pix2pixHDPreset, X2FacePreset
from model.networks import Discriminator, Embedder, Generator
from model.presets import Preset
from pipeline.licences import NOT_STATED, licence_uses, shortened
from weights.errors import HeadshotError
from weights.files import publish, publish_text, sha256_of
from weights.registry import load_registry

MODEL_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
CARD_FILE = "README.md"
CLIPS_IN_CARD = 100

AnyPreset = Preset | X2FacePreset | Pix2pixHDPreset
"""Of the reference model or of a learned baseline."""


class TrainingClip(Record):
    """A clip the model learned from, with the terms that travel with it; the order is that of the columns W_i."""

    key: str
    identity: str
    usable_frames: int
    licence: str
    consent: str
    credit: str
    source_url: str


class Execution(Record):
    """How a run was carried out; the same run on other hardware learns the same up to rounding."""

    device: str
    precision: str
    processes: int
    accumulate: int
    """Parts of a batch that went through the networks one after the other for each update."""
    compiled: bool


class CheckpointConfig(Record):
    """What made a checkpoint, and the hash of its tensors."""

    schema_version: Literal[2] = 2
    preset: AnyPreset
    steps: int
    seed: int
    execution: Execution
    dataset: str
    dataset_sha256: str
    """Of `dataset.json`, which has the hash of every shard."""
    manifest_sha256: str
    dataset_size_px: int
    clips: tuple[TrainingClip, ...]
    clips_withdrawn: int = 0
    """Further clips it learned from, of people who withdrew since: their names and embeddings are gone."""
    weights: dict[str, str]
    """Id to SHA-256 of the pretrained networks used in the losses."""
    headshot_version: str
    torch_version: str
    model_sha256: str = ""


class Parts(ABC):
    """Networks that belong together in one checkpoint."""

    @property
    @abstractmethod
    def parts(self) -> dict[str, torch.nn.Module]:
        """The modules by name."""

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors under `<network>.<name>`, contiguous on the CPU."""
        return {
            f"{part}.{name}": tensor.detach().cpu().contiguous()
            for part, module in self.parts.items()
            for name, tensor in module.state_dict().items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Fill the modules; every tensor must fit and none may be left over.

        Raises:
            RuntimeError: Names or shapes differ.
        """
        foreign = [name for name in tensors if name.split(".", 1)[0] not in self.parts]
        if foreign:
            raise RuntimeError(f"tensors of no network of this preset, such as {foreign[0]}")
        for part, module in self.parts.items():
            own = {name.removeprefix(f"{part}."): t for name, t in tensors.items() if name.startswith(f"{part}.")}
            module.load_state_dict(own, strict=True)

    def to(self, device: torch.device) -> Self:
        """Move the modules in place and return self."""
        for module in self.parts.values():
            module.to(device)
        return self


class Networks(Parts):
    """Embedder, generator and discriminator of one preset, together."""

    def __init__(self, preset: Preset, clips: int) -> None:
        self.preset = preset
        self.embedder = Embedder(preset.network)
        self.generator = Generator(preset.network)
        self.discriminator = Discriminator(preset.network, clips)

    @property
    def parts(self) -> dict[str, torch.nn.Module]:
        """The three modules by name."""
        return {"embedder": self.embedder, "generator": self.generator, "discriminator": self.discriminator}


P = TypeVar("P", bound=Parts)
Kind = TypeVar("Kind", Preset, X2FacePreset, Pix2pixHDPreset)


def save(folder: Path, networks: Parts, config: CheckpointConfig) -> CheckpointConfig:
    """Write tensors, then config and model card; the config comes last and marks the checkpoint as complete.

    Returns:
        The config with the hash of the tensors filled in.
    """
    with publish(folder / MODEL_FILE) as temporary:
        save_file(networks.tensors(), temporary)
    hashed = config.model_copy(update={"model_sha256": sha256_of(folder / MODEL_FILE)})
    publish_text(folder / CARD_FILE, model_card(hashed))
    publish_text(folder / CONFIG_FILE, hashed.model_dump_json(indent=2) + "\n")
    return hashed


def load(folder: Path) -> tuple[Networks, CheckpointConfig]:
    """Return the networks of a checkpoint of the reference model, in evaluation mode on the CPU.

    Raises:
        HeadshotError: A file is missing, of another version or model, damaged, or does not fit its config.
    """
    config = read_config(folder)
    preset = expect(config, Preset, folder)
    return fill(Networks(preset, len(config.clips)), config, folder), config


def expect(config: CheckpointConfig, kind: type[Kind], folder: Path) -> Kind:
    """Return the preset of a checkpoint that must be of one kind of model.

    Raises:
        HeadshotError: It is of another one.
    """
    if not isinstance(config.preset, kind):
        raise HeadshotError(
            f"the checkpoint in {folder} is of the preset {config.preset.name} ({config.preset.card_title}), "
            f"but {kind.card_title} was expected; name the folder of that one, or train it with `headshot train`"
        )
    return config.preset


def fill(networks: P, config: CheckpointConfig, folder: Path) -> P:
    """Return the networks with the tensors of a checkpoint, in evaluation mode on the CPU.

    Raises:
        HeadshotError: The tensors are missing or damaged, or do not fit the networks.
    """
    path = folder / MODEL_FILE
    if not path.is_file():
        raise HeadshotError(f"{path} is missing; run `headshot train` again, it resumes from what is there")
    found = sha256_of(path)
    if found != config.model_sha256:
        raise HeadshotError(
            f"{path} has SHA-256 {found}, its config says {config.model_sha256}: the file is damaged or "
            "of another run; train again or restore it"
        )
    try:
        networks.load(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        raise HeadshotError(f"{path} does not fit the preset {config.preset.name} in {CONFIG_FILE}: {error}") from error
    for module in networks.parts.values():
        module.eval().requires_grad_(False)
    return networks


def read_config(folder: Path) -> CheckpointConfig:
    """Return the config of the checkpoint in `folder`.

    Raises:
        HeadshotError: There is no complete checkpoint, or its config cannot be read.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise HeadshotError(
            f"there is no finished checkpoint in {folder} ({CONFIG_FILE} is missing); run `headshot train`"
        )
    try:
        return CheckpointConfig.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise HeadshotError(
            f"{path} is not a checkpoint config of this version of headshot: {error.error_count()} fields differ, "
            f"the first is {error.errors()[0]['loc']}; remove the folder, and train again with `headshot train`"
        ) from error


def model_card(config: CheckpointConfig) -> str:
    """Return the model card in Markdown: what it is, from what and whom it learned, what it may be used for."""
    clips, how, size = config.clips, config.execution, config.preset.network.size_px
    licences = licence_uses((clip.licence, clip.identity, clip.usable_frames, clip.credit) for clip in clips)
    consents = licence_uses((clip.consent, clip.identity, clip.usable_frames, clip.credit) for clip in clips)
    people, frames = len({clip.identity for clip in clips}), sum(clip.usable_frames for clip in clips)
    terms = [(use.licence, use.clips, f"{use.frames:,}", use.people, shortened(use.credits)) for use in licences]
    agreed = [(use.licence, use.clips, use.people) for use in consents]
    named = [(c.key, c.usable_frames, c.licence or NOT_STATED, c.consent or NOT_STATED, c.credit) for c in clips]
    networks = [(name, _licence_of(name), sha256[:12]) for name, sha256 in config.weights.items()]
    return f"""# headshot {config.preset.card_title}, preset {config.preset.name}

{config.preset.card_source}: {config.preset.description}.

- Trained for {config.steps} steps, seed {config.seed}; {how.device}, {how.precision}, processes: {how.processes}.
- Made by headshot {config.headshot_version}, torch {config.torch_version}; tensors SHA-256 {config.model_sha256[:12]}.

## What data

{frames:,} frames of {len(clips)} clips at {size} px, from the training split of the dataset
`{config.dataset}` (dataset {config.dataset_sha256[:12] or NOT_STATED}, manifest {config.manifest_sha256[:12]}).

{_table(("licence", "clips", "frames", "people", "credit"), terms)}

The losses compare pictures through networks that others trained:

{_table(("network", "licence", "sha256"), networks) if networks else "None."}

## What people

{people} people. How well it does for people who look unlike them is not known. What is stated about their consent:

{_table(("consent", "clips", "people"), agreed)}

{_table(("clip", "frames", "licence", "consent", "credit"), named[:CLIPS_IN_CARD])}
{_more_clips(len(named) - CLIPS_IN_CARD)}{_withdrawn_note(config)}
## What it may be used for

Research on face animation: as a system of a benchmark, and to compare models with. The terms of the
clips and networks above hold for the model too: one that is not licensed, or whose people did not agree, is not to be
passed on. It makes synthetic video of real people: ask the person first, label what you publish, and do not use it to
deceive. It is not made for recognising people, and nothing follows from its output about what somebody did or said.

`grids/` shows people of the training data as they are and as the model sees them. Leave it out when you pass the
checkpoint on, unless they agreed to be shown.
"""


def _licence_of(weight_id: str) -> str:
    entry = load_registry().get(weight_id)
    return entry.licence if entry else NOT_STATED


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(str(v).split()).replace("|", "\\|") for v in line) + " |" for line in lines
    )


def _more_clips(count: int) -> str:
    return f"\nand {count:,} clips more, all of them in `{CONFIG_FILE}`.\n" if count > 0 else ""


def _withdrawn_note(config: CheckpointConfig) -> str:
    if not config.clips_withdrawn:
        return ""
    return f"""
People who withdrew since are not listed, and their clip embeddings are removed. The networks have still learned from
{config.clips_withdrawn} of their clips: do not publish this checkpoint, train again without them.
"""
