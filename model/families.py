"""Everything that can be trained: presets by name, and who learns with which."""

import torch

from model.baseline_presets import BASELINE_PRESETS, X2FacePreset
from model.checkpoint import AnyPreset, Parts
from model.content import ContentLoss
from model.learner import Learner
from model.metalearning import MetaLearner
from model.pix2pixhd_learner import Pix2pixHDLearner
from model.presets import PRESETS, Preset, Variant
from model.x2face_learner import X2FaceLearner
from weights.errors import HeadshotError


def find_preset(name: str) -> AnyPreset:
    """Return the preset called `name`, of the reference model or of a learned baseline.

    Raises:
        HeadshotError: There is no such preset.
    """
    known: dict[str, AnyPreset] = {**PRESETS, **BASELINE_PRESETS}
    if name not in known:
        raise HeadshotError(f"there is no preset {name!r}; choose one of: {', '.join(known)}")
    return known[name]


def varied(preset: AnyPreset, *, variant: Variant | None, embedded_content: bool, gaze: bool) -> AnyPreset:
    """Return the preset with what is given changed; see `Preset.varied`.

    Raises:
        HeadshotError: A learned baseline has no variants and no gaze.
    """
    if isinstance(preset, Preset):
        return preset.varied(variant=variant, embedded_content=embedded_content, gaze=gaze)
    if variant is not None or gaze:
        raise HeadshotError(
            f"--variant and --gaze are options of the reference model, and the preset {preset.name} is a "
            f"{preset.card_title}, which has neither; leave them out"
        )
    return preset


def learner_for(
    preset: AnyPreset, clips: int, content: ContentLoss, device: torch.device, seed: int, accumulate: int = 1
) -> Learner[Parts]:
    """Return the learner of a preset before its first step.

    Args:
        preset: Of any family.
        clips: Number of training clips; the reference model's discriminator has a column for each.
        content: The frozen content loss.
        device: Where everything lives.
        seed: Of the initial weights.
        accumulate: Number of parts that go through the networks one after the other for one update.
    """
    if isinstance(preset, Preset):
        return MetaLearner(preset, clips, content, device, seed, accumulate)
    if isinstance(preset, X2FacePreset):
        return X2FaceLearner(preset, content, device, seed, accumulate)
    return Pix2pixHDLearner(preset, content, device, seed, accumulate)
