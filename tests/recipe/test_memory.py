"""The memory limit and its origin, on made-up machines."""

import os
import resource

import pytest

from geotools.recipe import memory

GB = 10**9
MIB = 1024**2


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of 64 GiB without limits; control groups are laid out as files below a folder of this test."""
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * 1024**2}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)

    def write(*, memberships="", mounts="", limits=None):
        (proc / "self" / "cgroup").write_text(memberships)
        (proc / "self" / "mountinfo").write_text(
            mounts.format(sys=str(tmp_path / "sys").replace(" ", r"\040"))
        )
        for name, value in (limits or {}).items():
            file = tmp_path / "sys" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{value}\n")
        return proc

    return write


V2 = "31 23 0:28 / {sys} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "35 31 0:32 {root} {{sys}}/memory rw,relatime shared:15 - cgroup cgroup rw,memory\n"


def test_without_any_limit_the_machine_counts(machine):
    assert memory.limit(environ={}, proc=machine()) == (64 * 1024**3, "physical memory")


def test_where_the_kernel_tells_nothing_the_machine_counts(machine, tmp_path):
    machine()
    assert memory.limit(environ={}, proc=tmp_path / "absent")[1] == "physical memory"


def test_version_2_the_limit_of_the_own_group_counts(machine):
    proc = machine(
        memberships="0::/slurm/job_7/step_0\n",
        mounts=V2,
        limits={"slurm/job_7/step_0/memory.max": 3 * GB, "slurm/job_7/memory.max": "max"},
    )
    assert memory.limit(environ={}, proc=proc) == (3 * GB, "control group /slurm/job_7/step_0")


@pytest.mark.parametrize(
    ("place", "words"), [("slurm/job_7/", " /slurm/job_7"), ("slurm/", " /slurm"), ("", "")]
)
def test_a_limit_of_any_group_around_the_own_one_counts(machine, place, words):
    proc = machine(
        memberships="0::/slurm/job_7/step_0\n",
        mounts=V2,
        limits={"slurm/job_7/step_0/memory.max": "max", f"{place}memory.max": 2 * GB},
    )
    assert memory.limit(environ={}, proc=proc) == (2 * GB, f"control group{words}")


def test_version_1_the_memory_hierarchy_is_read_and_no_other(machine):
    proc = machine(
        memberships="9:cpu:/fast\n4:memory:/uid_0/job_7\n0::/\n",
        mounts=V1.format(root="/") + "32 31 0:29 / {sys}/cpu rw - cgroup cgroup rw,cpu\n",
        limits={
            "memory/uid_0/job_7/memory.limit_in_bytes": 9223372036854771712,
            "memory/uid_0/memory.limit_in_bytes": 5 * GB,
            "cpu/fast/memory.limit_in_bytes": 1,
        },
    )
    assert memory.limit(environ={}, proc=proc) == (5 * GB, "control group /uid_0")


def test_in_a_container_the_mount_is_the_own_group(machine):
    """The path is that of the host, and the mount begins at the container's group or elsewhere."""
    for root in ("/docker/abc", "/elsewhere"):
        proc = machine(
            memberships="4:memory:/docker/abc\n",
            mounts=V1.format(root=root),
            limits={"memory/memory.limit_in_bytes": 4 * GB},
        )
        assert memory.limit(environ={}, proc=proc) == (4 * GB, "control group")


def test_a_path_above_the_own_root_is_not_followed(machine, tmp_path):
    proc = machine(memberships="0::/../other\n", mounts=V2, limits={"memory.max": 4 * GB})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "memory.max").write_text("1")
    assert memory.limit(environ={}, proc=proc) == (4 * GB, "control group")


def test_a_mount_with_a_blank_in_its_name_is_found(machine, tmp_path):
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "memory.max").write_text(str(GB))
    proc = machine(
        memberships="0::/\n", mounts=V2.replace("{sys}", str(tmp_path / "a b").replace(" ", r"\040"))
    )
    assert memory.limit(environ={}, proc=proc) == (GB, "control group")


@pytest.mark.parametrize(
    ("environ", "megabytes", "origin"),
    [
        ({"SLURM_MEM_PER_NODE": "3072"}, 3072, "SLURM_MEM_PER_NODE"),
        ({"SLURM_MEM_PER_NODE": "3G"}, 3072, "SLURM_MEM_PER_NODE"),
        (
            {"SLURM_MEM_PER_CPU": "1500", "SLURM_CPUS_ON_NODE": "3"},
            4500,
            "SLURM_MEM_PER_CPU x 3 CPUs",
        ),
        ({"SLURM_MEM_PER_CPU": "1500"}, 1500, "SLURM_MEM_PER_CPU"),
        (
            {"SLURM_MEM_PER_GPU": "8000", "SLURM_GPUS_ON_NODE": "2"},
            16000,
            "SLURM_MEM_PER_GPU x 2 GPUs",
        ),
    ],
)
def test_slurm_counts_in_mebibytes_on_this_node(machine, environ, megabytes, origin):
    assert memory.limit(environ=environ, proc=machine()) == (megabytes * MIB, origin)


@pytest.mark.parametrize("value", ["0", "", "all", "-1"])
def test_slurm_values_that_set_no_limit_are_passed_over(machine, value):
    assert memory.limit(environ={"SLURM_MEM_PER_NODE": value}, proc=machine())[1] == "physical memory"


def test_the_least_limit_is_named(machine):
    proc = machine(memberships="0::/job\n", mounts=V2, limits={"job/memory.max": 2000 * MIB})
    assert memory.limit(environ={"SLURM_MEM_PER_NODE": "3000"}, proc=proc)[1] == "control group /job"
    assert memory.limit(environ={"SLURM_MEM_PER_NODE": "1000"}, proc=proc)[1] == "SLURM_MEM_PER_NODE"
    # A group that SLURM made itself has the same limit; what the user asked for is named.
    assert memory.limit(environ={"SLURM_MEM_PER_NODE": "2000"}, proc=proc)[1] == "SLURM_MEM_PER_NODE"


def test_a_limit_on_the_address_space_counts(machine, monkeypatch):
    proc = machine()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (GB, resource.RLIM_INFINITY))
    assert memory.limit(environ={}, proc=proc) == (GB, "limit on the address space, ulimit -v")


@pytest.mark.parametrize(
    ("environ", "tasks"),
    [
        ({}, 1),
        ({"SLURM_STEP_TASKS_PER_NODE": "4"}, 4),
        ({"SLURM_STEP_TASKS_PER_NODE": "2(x2),1", "SLURM_NODEID": "1"}, 2),
        ({"SLURM_STEP_TASKS_PER_NODE": "2(x2),1", "SLURM_NODEID": "2"}, 1),
    ],
)
def test_tasks_of_a_step_on_one_node_share_its_memory(machine, environ, tasks):
    bound, origin = memory.share(environ={"SLURM_MEM_PER_NODE": "3072", **environ}, proc=machine())
    assert bound == 3072 * MIB // tasks
    assert origin == "SLURM_MEM_PER_NODE" + (f", shared by {tasks} tasks" if tasks > 1 else "")
