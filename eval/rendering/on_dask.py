"""Systems at work in Dask workers: one Dask task for each pair of system and task."""

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import distributed
from distributed.protocol import pickle

from eval.rendering.render import Outcome, Renderer, failure
from eval.systems.protocol import System
from pipeline.clusters import GPU, Cluster
from pipeline.dask_engine import WORKER_DIED, as_finished, dask_client, has_gpus
from pipeline.dask_worker import one_at_a_time, require_version, single_threaded
from weights.errors import HeadshotError

Key = tuple[str, str]
"""Name of a system and id of a task."""
_LOG = logging.getLogger(__name__)


class Seat(distributed.WorkerPlugin):
    """Gives each worker systems, tasks and data set once, so that a system loads its networks once and not a task.

    Args:
        renderer: What there is to do.
        name: Of this run, to find it by.
    """

    def __init__(self, renderer: Renderer, name: str) -> None:
        self.name, self.renderer = name, renderer
        self._version = version("headshot")

    def setup(self, worker: distributed.Worker) -> None:
        """Refuse another version of headshot.

        Raises:
            HeadshotError: It is installed there.
        """
        require_version(worker, self._version)


def render_on(
    cluster: Cluster, renderer: Renderer, missing: Sequence[Key], announce: Callable[[str], None]
) -> Iterator[tuple[Key, Outcome]]:
    """Render on Dask workers and yield what became of each pair, as they come.

    A system that kills its process costs its task only: what was lost with a worker is done again, pair by pair, and
    what then kills its process once more has failed.

    Args:
        cluster: Where workers come from.
        renderer: Who is asked what; it is sent to every worker.
        missing: The pairs to do.
        announce: Told where the work can be watched.

    Raises:
        HeadshotError: The cluster cannot be had, a worker cannot do the work, or a system cannot be sent to one.
    """
    for system in renderer.systems:
        _require_pickle(system)
    with (
        cluster.start(len(missing)) as started,
        dask_client(started, announce) as client,
        _seated(client, renderer) as run,
    ):
        gpus = has_gpus(client)
        on_cuda = {system.name for system in renderer.systems if system.config.get("device") == "cuda"}

        def submit(key: Key) -> Any:
            # Not pure: what is asked for again is rendered again, whatever the cluster remembers.
            return client.submit(
                render_in_task,
                run,
                *key,
                key=f"{' '.join(key)} {uuid.uuid4().hex}",
                pure=False,
                resources={GPU: 1} if gpus and key[0] in on_cuda else None,
            )

        lost = []
        for key, outcome, error in as_finished(client, _longest_first(renderer, missing), submit):
            if error is None:
                yield key, outcome
            else:
                lost.append(_died(key, error))
        for pair in lost:
            for key, outcome, error in as_finished(client, [pair], submit):
                yield (key, outcome) if error is None else (_died(key, error), failure("system_error", error))


@contextmanager
def _seated(client: Any, renderer: Renderer) -> Iterator[str]:
    """Send everything to the workers, and to those that join; yield the name to find it by."""
    run = f"headshot-render-{uuid.uuid4().hex}"
    try:
        client.register_plugin(Seat(renderer, run))
    except (ImportError, AttributeError) as error:
        raise HeadshotError(
            f"a Dask worker cannot load the systems ({error}); install there what is installed here, in the same "
            "versions, and the module of your own system too"
        ) from error
    try:
        yield run
    finally:
        if client.status == "running":
            client.unregister_worker_plugin(run)


def _died(key: Key, error: str) -> Key:
    """Return the pair whose worker died; anything else that keeps a worker from its work is nobody's failure.

    Raises:
        HeadshotError: It is something else, such as a full disk.
    """
    if error != WORKER_DIED:
        raise HeadshotError(f"{' on '.join(key)} was not rendered: {error}; mend that, and run the same command again")
    _LOG.warning("%s on %s: %s", *key, error)
    return key


def render_in_task(run: str, system_name: str, task_id: str) -> Outcome:
    """Do one pair in a worker and return what became of it; the frames are on disk."""
    seat = distributed.get_worker().plugins[run]
    renderer: Renderer = seat.renderer  # type: ignore[attr-defined]
    task = next(task for task in renderer.tasks.tasks if task.id == task_id)
    system = next(system for system in renderer.systems if system.name == system_name)
    with one_at_a_time:
        (pair,) = renderer.pairs(task, [system])
        single_threaded()
        return renderer.outcome(pair)


def _longest_first(renderer: Renderer, missing: Sequence[Key]) -> list[Key]:
    """Return the pairs with many shots first, which take longest to adapt to: the workers then end together."""
    shots = {task.id: task.shots for task in renderer.tasks.tasks}
    return sorted(missing, key=lambda key: -shots[key[1]])


def _require_pickle(system: System) -> None:
    try:
        pickle.dumps(system)  # type: ignore[no-untyped-call]
    except Exception as error:  # a system is somebody else's code: whatever keeps it from being sent
        raise HeadshotError(
            f"the system {system.name} cannot be sent to other processes ({type(error).__name__}: {error}); let it "
            "open and load things in `adapt` and not before, or render with one worker"
        ) from error
