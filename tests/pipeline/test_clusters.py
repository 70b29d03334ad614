"""What would be submitted to SLURM and to Kubernetes, and what is said about wrong settings."""

import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.clusters import LocalWorkers, RunningScheduler, default_cluster, read_cluster_config
from pipeline.kubernetes import KubernetesConfig, Mount, cluster_spec
from pipeline.slurm import SlurmConfig, slurm_cluster
from tests.conftest import REPOSITORY
from weights.errors import HeadshotError

GUIDE = (REPOSITORY / "docs/cluster.md").read_text(encoding="utf-8")


def example(name: str) -> str:
    """Return the YAML of the guide that begins with this comment."""
    blocks = (block.split("```")[0] for block in GUIDE.split("```yaml\n")[1:])
    (found,) = (block for block in blocks if block.startswith(f"# {name}\n"))
    return found


@pytest.fixture
def slurm(tmp_path: Path) -> SlurmConfig:
    """The settings of the guide."""
    (tmp_path / "slurm.yaml").write_text(example("slurm.yaml"))
    return read_cluster_config(tmp_path / "slurm.yaml", SlurmConfig)


@pytest.fixture
def kubernetes(tmp_path: Path) -> KubernetesConfig:
    """The settings of the guide."""
    (tmp_path / "kubernetes.yaml").write_text(example("kubernetes.yaml"))
    return read_cluster_config(tmp_path / "kubernetes.yaml", KubernetesConfig)


def job_script(config: SlurmConfig) -> list[str]:
    pytest.importorskip("dask_jobqueue", reason="pip install 'headshot[slurm]'")
    with slurm_cluster(config) as cluster:
        return str(cluster.job_script()).splitlines()


def test_the_job_script_asks_for_what_the_settings_say(slurm: SlurmConfig) -> None:
    script = job_script(slurm)
    head, command = script[:-1], script[-1]
    assert head[0] == "#!/usr/bin/env bash"
    assert [line for line in head if line.startswith("#SBATCH")] == [
        "#SBATCH -J headshot",
        "#SBATCH -p compute",
        "#SBATCH -A faces",
        "#SBATCH -n 1",
        "#SBATCH --cpus-per-task=16",
        "#SBATCH --mem=60G",
        "#SBATCH -t 08:00:00",
        "#SBATCH --constraint=avx2",
    ]
    assert "export HEADSHOT_CACHE='/shared/headshot cache'" in head
    assert "export MALLOC_TRIM_THRESHOLD_=67108864" in head
    assert head.index("module load ffmpeg") > head.index("export HEADSHOT_CACHE='/shared/headshot cache'")
    assert command.startswith("/shared/venv/bin/python -m distributed.cli.dask_worker tcp://")
    assert "--nthreads 1 --memory-limit 3.73GiB --nworkers 16 --nanny" in command
    assert f"--lifetime {8 * 3600 - 300}s --lifetime-stagger 150s" in command  # handed back before SLURM would kill it


def test_a_job_with_a_gpu_runs_one_worker_that_says_so(slurm: SlurmConfig) -> None:
    script = job_script(slurm.model_copy(update={"gpu": True}))
    assert "#SBATCH --gres=gpu:1" in script
    assert "#SBATCH --cpus-per-task=16" in script
    assert "--resources GPU=1" in script[-1]
    assert "--nthreads 1" in script[-1]
    assert "--nworkers" not in script[-1]


def test_workers_end_before_a_short_job_does(slurm: SlurmConfig) -> None:
    short = slurm.model_copy(update={"walltime": "0-00:10:00"})
    assert "--lifetime 480s --lifetime-stagger 60s" in job_script(short)[-1]


def test_the_pods_get_what_the_settings_say(kubernetes: KubernetesConfig) -> None:
    pytest.importorskip("dask_kubernetes", reason="pip install 'headshot[kubernetes]'")
    spec = cluster_spec(kubernetes)
    assert (spec["kind"], spec["metadata"]["name"]) == ("DaskCluster", "headshot")
    worker = spec["spec"]["worker"]
    assert worker["replicas"] == 32
    (container,) = worker["spec"]["containers"]
    assert container["image"] == "registry.example.org/headshot:0.1.0"
    assert container["args"][:4] == ["dask", "worker", "--nthreads", "1"]
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "6Gi"}
    assert {"name": "HEADSHOT_CACHE", "value": "/data/cache"} in container["env"]
    assert {"name": "MALLOC_TRIM_THRESHOLD_", "value": "67108864"} in container["env"]
    assert container["volumeMounts"] == [
        {"name": "mount-0", "mountPath": "/data", "readOnly": False},
        {"name": "mount-1", "mountPath": "/videos", "readOnly": True},
    ]
    assert worker["spec"]["volumes"] == [
        {"name": "mount-0", "persistentVolumeClaim": {"claimName": "headshot", "readOnly": False}},
        {"name": "mount-1", "hostPath": {"path": "/mnt/corpora"}},
    ]
    (scheduler,) = spec["spec"]["scheduler"]["spec"]["containers"]
    assert scheduler["image"] == container["image"]


def test_pods_with_a_gpu_ask_for_one_and_say_so(kubernetes: KubernetesConfig) -> None:
    pytest.importorskip("dask_kubernetes", reason="pip install 'headshot[kubernetes]'")
    spec = cluster_spec(kubernetes.model_copy(update={"gpu": True}))["spec"]
    (container,) = spec["worker"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "GPU=1" in container["args"]
    assert "nvidia.com/gpu" not in spec["scheduler"]["spec"]["containers"][0]["resources"]["limits"]


def test_a_mount_has_one_source() -> None:
    for sources in ({}, {"claim": "a", "host_path": "/b"}):
        with pytest.raises(ValueError, match="either `claim` or `host_path`"):
            Mount.model_validate({"path": "/data", **sources})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs: 4\ncores: 8\nmemory: 8GB\nwalltime: 12:00:00\n", "walltime: 43200 is no time limit"),
        ("jobs: 0\ncores: 8\nmemory: 8GB\nwalltime: '1:00:00'\n", "jobs: Input should be greater than 0"),
        ("jobs: 4\nqueue: short\n", "queue: Extra inputs are not permitted"),
        ("- 1\n", "file: Input should be a valid dictionary"),
        ("jobs: [\n", "is not valid YAML"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "slurm.yaml").write_text(text)
    with pytest.raises(HeadshotError) as error:
        read_cluster_config(tmp_path / "slurm.yaml", SlurmConfig)
    assert message in str(error.value)
    assert str(tmp_path / "slurm.yaml") in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match=r"nowhere\.yaml cannot be read"):
        read_cluster_config(tmp_path / "nowhere.yaml", KubernetesConfig)


@pytest.mark.parametrize(("package", "option"), [("dask_jobqueue", "slurm"), ("dask_kubernetes", "kubernetes")])
def test_a_missing_package_is_an_error_that_says_how_to_install_it(
    package: str, option: str, slurm: SlurmConfig, kubernetes: KubernetesConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (package, f"{package}.slurm", f"{package}.operator"):
        monkeypatch.setitem(sys.modules, module, None)
    chosen: Any = slurm if option == "slurm" else kubernetes
    with pytest.raises(HeadshotError, match=rf"pip install 'headshot\[{option}\]'"), chosen.start(4):
        pass


def test_the_scheduler_of_the_environment_is_taken_else_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    assert default_cluster(3) == LocalWorkers(workers=3)
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://scheduler:8786")
    assert default_cluster(3) == RunningScheduler(address="tcp://scheduler:8786")
