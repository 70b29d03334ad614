"""Several processes that train together, started by torchrun: each has its share of every batch.

Gradients are averaged in one message for each update, after the backward pass. torch's DistributedDataParallel,
Lightning Fabric and accelerate wrap modules and hook into their `forward`; here one step uses three modules, calls the
discriminator several times and reaches into parts of it, so that each call would have to be declared to the wrapper.
What is given up is sending while the backward pass still runs.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, distributed

from model.batches import WHOLE, Part
from weights.errors import HeadshotError


def first_of_all() -> bool:
    """Return whether this process is the one that writes and reports: the only one, or the first of several."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def joined(device: torch.device) -> Iterator[Part]:
    """Meet the other processes that torchrun started, and yield this one's part of the work: all of it if alone.

    Raises:
        HeadshotError: There are more processes on this machine than GPUs.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield WHOLE
        return
    backend, own = "gloo", None
    if device.type == "cuda":
        local, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= gpus:
            raise HeadshotError(
                f"torchrun started process {local + 1} on a machine with {gpus} GPUs; give it --nproc-per-node {gpus}"
            )
        torch.cuda.set_device(local)
        backend, own = "nccl", torch.device("cuda", local)
    distributed.init_process_group(backend, device_id=own)
    try:
        yield Part(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()


def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over all processes, in one message; a single process leaves them alone."""
    if not tensors or not several():
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for tensor, mean in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def meet() -> None:
    """Wait until all processes are here."""
    if several():
        distributed.barrier()


def several() -> bool:
    """Return whether this process trains together with others."""
    return distributed.is_available() and distributed.is_initialized()
