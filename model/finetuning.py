"""The second phase: adapt generator and discriminator to one new person on T frames; the embedder is no longer used."""

from dataclasses import dataclass

import numpy as np
import torch

from model.checkpoint import Networks
from model.content import ContentLoss
from model.fine_tuner import FineTuner, Snapshot
from model.person import Adapted, Person, identity_embedding
from model.presets import Preset
from model.stopping import FEWEST_SHOTS, hold_out, train_until_worse

CLOSING_SHARE = 0.2
"""Of the iterations that the stop rule chose: so many more, on all frames."""


def adapt_feed_forward(networks: Networks, person: Person, device: torch.device) -> Adapted:
    """Return the generator with psi = P e of the support frames, nothing trained."""
    with torch.no_grad():
        psi = networks.generator.adain_params(identity_embedding(networks, person, device))
    return Adapted(generator=networks.generator, adain_params=psi, person=person, iterations=0)


def fine_tune(
    networks: Networks,
    preset: Preset,
    content: ContentLoss,
    person: Person,
    *,
    device: torch.device,
    seed: int,
    iterations: int | None = None,
) -> Adapted:
    """Return a generator trained on the support frames, started from the meta-learned one.

    psi starts at P e and is free from then on; the discriminator's vector w' starts at w_0 + e. The losses are
    those of meta-learning without the match term (section 3.4 of the paper). Colours are left alone, because the
    person's own are to be learned. The result is the running average of the weights.

    With the stop rule `held_out`, a part of the support frames is kept out of training at first. Training stops where
    the loss on them is lowest, then goes on from there on all frames for a fifth as many iterations.

    Args:
        networks: Of a checkpoint; left untouched.
        preset: Of the checkpoint.
        content: Content loss on `device`.
        person: What is known of the person.
        device: Where to train.
        seed: Of the order of frames and the augmentation.
        iterations: Exactly so many updates, in place of the preset's number and stop rule.

    Raises:
        HeadshotError: A loss is not finite; phase and step are named.
    """
    tuner = FineTuner(networks, preset, content, person, device)
    schedule, rng = preset.fine_tuning, np.random.default_rng(seed)
    shots = len(person.frames)
    if iterations is not None or schedule.stop == "fixed" or shots < FEWEST_SHOTS:
        fixed = schedule.iterations(shots) if iterations is None else iterations
        return tuner.train(person, fixed, rng).result()
    learned, held_out = (person.take(chosen) for chosen in hold_out(shots, rng))
    chosen = train_until_worse(
        _OnPart(tuner, learned, held_out, rng),
        most=schedule.iterations(shots),
        check_every=schedule.check_every,
        patience=schedule.patience,
    )
    return tuner.train(person, round(CLOSING_SHARE * chosen), rng).result()


@dataclass(frozen=True, slots=True)
class _OnPart:
    """The learner of a stop rule: trains on some frames of the person and is judged on the others."""

    tuner: FineTuner
    learned: Person
    held_out: Person
    rng: np.random.Generator

    def train(self, iterations: int) -> None:
        self.tuner.train(self.learned, iterations, self.rng)

    def loss(self) -> float:
        return self.tuner.loss_on(self.held_out, self.learned)

    def snapshot(self) -> Snapshot:
        return self.tuner.snapshot()

    def restore(self, state: Snapshot) -> None:
        self.tuner.restore(state)
