"""What the training on many people has in common for every model."""

from manifests.schema import Record


class Schedule(Record):
    """Steps, batches and averages; each kind of model adds its rates."""

    steps: int
    batch: int
    shots: int
    """K: support frames of an episode."""
    adversarial_from: float
    """Share of the steps after which the discriminator starts to train and to count; 1 where there is none."""
    warmup_steps: int
    """In which the rates rise linearly."""
    gradient_clip: float
    """Largest norm of a gradient; 0 leaves gradients alone."""
    ema_decay: float
    """Of the running averages that a checkpoint keeps."""
    checkpoint_every: int
