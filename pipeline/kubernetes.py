"""Dask workers as Kubernetes pods, through the operator of dask-kubernetes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from manifests.schema import Record
from pipeline.clusters import GPU, WORKER_ENVIRONMENT
from weights.errors import HeadshotError

Positive = Annotated[int, Field(gt=0)]
NVIDIA_GPU = "nvidia.com/gpu"


class Mount(Record):
    """A folder that all pods see; videos and dataset must lie in one, at the same path as on the machine of the run."""

    path: str
    """Absolute path in the pods."""
    claim: str | None = None
    """Name of a persistent volume claim ..."""
    host_path: str | None = None
    """... or a folder of the nodes."""
    read_only: bool = False

    @model_validator(mode="after")
    def _has_one_source(self) -> "Mount":
        if (self.claim is None) == (self.host_path is None):
            raise ValueError("give either `claim` or `host_path`")
        return self

    def volume(self, name: str) -> dict[str, Any]:
        """Return the volume for a pod specification."""
        if self.claim is not None:
            claim = {"claimName": self.claim, "readOnly": self.read_only}
            return {"name": name, "persistentVolumeClaim": claim}
        return {"name": name, "hostPath": {"path": self.host_path}}


class KubernetesConfig(Record):
    """What pods are asked for. Each worker pod is one process with one thread."""

    schema_version: Literal[1] = 1
    image: str
    """With headshot installed, the same version as on the machine of the run."""
    workers: Positive
    """Worker pods."""
    name: str = "headshot"
    namespace: str | None = None
    """That of the current context where absent."""
    cpu: str = "1"
    """Cores of a pod, as Kubernetes writes them."""
    memory: str = "6Gi"
    """Memory of a pod, as Kubernetes writes it."""
    gpu: bool = False
    """One NVIDIA GPU for each worker pod."""
    env: Annotated[dict[str, str], Field(default_factory=dict)]
    """Environment variables of the pods."""
    mounts: tuple[Mount, ...] = ()

    @contextmanager
    def start(self, tasks: int) -> Iterator[Any]:
        """Yield a cluster with no more worker pods than tasks; it is deleted with the block.

        Raises:
            HeadshotError: dask-kubernetes is not installed.
        """
        spec = cluster_spec(self.model_copy(update={"workers": min(self.workers, tasks)}))
        from dask_kubernetes.operator import KubeCluster

        with KubeCluster(custom_cluster_spec=spec, namespace=self.namespace, quiet=True) as cluster:
            yield cluster


def cluster_spec(config: KubernetesConfig) -> dict[str, Any]:
    """Return the `DaskCluster` resource that the operator makes pods of.

    Raises:
        HeadshotError: dask-kubernetes is not installed.
    """
    try:
        from dask_kubernetes.operator import make_cluster_spec
    except ImportError as error:
        raise HeadshotError(
            f"--kubernetes needs dask-kubernetes ({error}); install it with `pip install 'headshot[kubernetes]'`"
        ) from error
    resources = {"cpu": config.cpu, "memory": config.memory}
    spec: dict[str, Any] = make_cluster_spec(
        name=config.name,
        image=config.image,
        n_workers=config.workers,
        resources={"requests": resources, "limits": resources},
        env={**WORKER_ENVIRONMENT, **config.env},
        worker_command=["dask", "worker", "--nthreads", "1", *(["--resources", f"{GPU}=1"] if config.gpu else [])],
    )
    pod = spec["spec"]["worker"]["spec"]
    (container,) = pod["containers"]
    if config.gpu:
        container["resources"] = {kind: {**wanted, NVIDIA_GPU: "1"} for kind, wanted in container["resources"].items()}
    names = [f"mount-{number}" for number in range(len(config.mounts))]
    pod["volumes"] = [mount.volume(name) for name, mount in zip(names, config.mounts, strict=True)]
    container["volumeMounts"] = [
        {"name": name, "mountPath": mount.path, "readOnly": mount.read_only}
        for name, mount in zip(names, config.mounts, strict=True)
    ]
    return spec
