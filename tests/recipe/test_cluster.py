"""Blocks on other processes and nodes: their results and errors come back, and lost workers lose nothing."""

import os
import signal
import stat
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, GeotoolsError, ProblemsError, UsageError
from geotools.recipe import Recipe, journal
from geotools.recipe.cluster import allocation, open_pool, parse, places, pool, slurm
from geotools.recipe.loading import load, resolved
from geotools.recipe.model import ClusterSettings
from tests.recipe import cluster_calls as calls

# distributed leaves closing of some sockets to the interpreter.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.mark.parametrize(
    "spec", ["threads", "processes", "slurm", "tcp://node17:8786", "tls://n:1", "node17:8786"]
)
def test_words_and_addresses_are_places(spec):
    assert parse(spec) == spec


@pytest.mark.parametrize("spec", ["thread", "", "tcp://", "tcp://node17", ":8786", "node17:port"])
def test_anything_else_is_refused_before_anything_starts(spec, tmp_path):
    with pytest.raises(
        UsageError, match=r"unknown place .* expected threads, processes, slurm, or the address"
    ):
        open_pool(spec, None, tmp_path).__enter__()


def test_threads_work_here_one_after_another(tmp_path):
    with open_pool("threads", None, tmp_path) as here:
        found = list(here.map(calls.square, [(3,), (4,)]))
    assert found == [(0, (9, os.getpid())), (1, (16, os.getpid()))]


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """A pool of processes for all tests that leave it whole."""
    said = []
    with open_pool("processes", None, tmp_path_factory.mktemp("run"), say=said.append) as found:
        assert not said, "nothing is started before there is a block"
        yield found


def test_processes_work_elsewhere_and_every_result_has_its_number(processes):
    found = dict(processes.map(calls.square, [(n,) for n in range(7)]))
    assert [found[n][0] for n in range(7)] == [0, 1, 4, 9, 16, 25, 36]
    assert os.getpid() not in {pid for _, pid in found.values()}


def test_without_blocks_nothing_is_done(processes):
    assert list(processes.map(calls.square, [])) == []


def test_dask_inside_a_block_stays_in_its_one_thread(processes):
    """It would send the parts of the block to the cluster, and read NetCDF in threads."""
    assert list(processes.map(calls.sum_of_chunks, [(100,)])) == [(0, (100.0, True, "synchronous"))]


def test_a_block_whose_worker_is_killed_is_done_by_another(processes, tmp_path):
    found = processes.map(calls.killed_at_first, [(n, str(tmp_path)) for n in range(5)])
    assert sorted(found) == [(n, n) for n in range(5)]
    assert (tmp_path / "1").exists()


def test_errors_of_geotools_come_back_with_all_their_parts(processes):
    with pytest.raises(DataError, match=r"a\.nc: no tas; expected tas") as caught:
        list(processes.map(calls.bad_input, [()]))
    assert (caught.value.todo, caught.value.exit_code) == ("add it", 3)
    with pytest.raises(ProblemsError, match="2 problems") as several:
        list(processes.map(calls.problems, [()]))
    assert [str(p) for p in several.value.problems] == ["one.", "two."]


def test_other_errors_keep_their_kind_and_name_the_block(processes):
    with pytest.raises(ZeroDivisionError) as caught:
        list(processes.map(calls.bug, [(calls.Named("series/3"),)]))
    assert "the block 'series/3'" in caught.value.__notes__[0]
    assert caught.traceback[-1].name == "bug", "the place in the block is lost"


def test_a_block_that_ends_every_worker_stops_with_what_to_do(processes):
    with pytest.raises(
        GeotoolsError, match=r"the block 'series/3' ended 4 workers.*memory.*--cluster threads"
    ):
        list(processes.map(calls.killed_always, [(calls.Named("series/3"),)]))
    assert dict(processes.map(calls.square, [(2,)]))[0][0] == 4, "the pool is of no use afterwards"


def test_blocks_that_nobody_waits_for_any_more_are_not_begun(processes, tmp_path):
    found = processes.map(calls.marked, [(n, str(tmp_path)) for n in range(100)])
    next(found)
    found.close()
    assert dict(processes.map(calls.square, [(2,)]))[0][0] == 4
    assert len(list(tmp_path.iterdir())) < 50


@pytest.mark.parametrize(("bound", "fitting"), [(0, 1), (2 * 10**9, 1), (3 * 10**9, 2), (10**12, 8)])
def test_as_many_processes_as_cores_and_memory_allow(bound, fitting, monkeypatch):
    monkeypatch.setattr("dask.system.CPU_COUNT", 8)
    assert places.workers_that_fit(bound) == fitting


@pytest.fixture(scope="module")
def scheduler():
    """A scheduler of somebody else, with one worker of two threads."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", dashboard_address=":0"
    ) as cluster:
        yield cluster


def test_workers_of_a_scheduler_elsewhere_are_used_and_live_on(scheduler, tmp_path):
    said = []
    for _ in range(2):
        with open_pool(scheduler.scheduler_address, None, tmp_path, say=said.append) as found:
            assert dict(found.map(calls.square, [(5,)]))[0][0] == 25
    assert any("several threads" in line for line in said)


def test_workers_with_other_code_are_refused(scheduler, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "code_version", lambda: "9.9+abc")
    with (
        pytest.raises(UsageError, match=r"a worker has geotools .*, and this process has 9.9\+abc"),
        open_pool(scheduler.scheduler_address, None, tmp_path) as found,
    ):
        list(found.map(calls.square, [(5,)]))


def test_an_address_where_nothing_answers_is_named(tmp_path, monkeypatch, unused_port):
    monkeypatch.setattr(places, "_CONNECT", "1s")
    with (
        pytest.raises(UsageError, match=f"no dask scheduler answers at 'tcp://127.0.0.1:{unused_port}'"),
        open_pool(f"tcp://127.0.0.1:{unused_port}", None, tmp_path) as found,
    ):
        list(found.map(calls.square, [(5,)]))


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_no_worker_is_waited_for_aloud_and_not_for_ever(monkeypatch):
    now, said = [0.0], []
    monkeypatch.setattr(places.time, "monotonic", lambda: now[0])
    waiting = places.Waiting(7200, said.append)
    waiting.look(2, "")
    for now[0] in (10.0, 20.0, 400.0):
        waiting.look(0, "2 jobs pending (Priority)")
    assert said == ["waiting for a worker: 2 jobs pending (Priority)"] * 2
    now[0] = 500.0
    waiting.look(1, "")
    now[0] = 7300.0
    waiting.look(0, "2 jobs pending (Priority)")
    now[0] += 7200.0
    with pytest.raises(GeotoolsError, match=r"no worker for 2 h: 2 jobs pending .*cluster.start_timeout_h"):
        waiting.look(0, "2 jobs pending (Priority)")


@given(st.floats(360, 7 * 86400))
def test_a_worker_always_leaves_before_its_job_is_ended(walltime):
    lifetime, stagger = slurm.lifetime_s(walltime)
    assert 0.7 * walltime < lifetime - stagger
    assert lifetime + stagger <= walltime - 60


@pytest.mark.parametrize(("tasks", "count"), [(None, "1 task,"), ("1", "1 task,"), ("2", "2 tasks,")])
def test_too_few_tasks_in_a_job_are_told_before_they_wait_for_each_other(tasks, count, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.delenv("SLURM_STEP_NUM_TASKS", raising=False)
    if tasks:
        monkeypatch.setenv("SLURM_STEP_NUM_TASKS", tasks)
    with pytest.raises(UsageError, match=rf"SLURM job 17, but started as {count[:-1]}; expected at least 3"):
        allocation.in_allocation()


def test_outside_of_a_job_there_is_no_allocation(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert not allocation.in_allocation()


FAKE = {
    # Jobs are processes of this machine; a file per job is the queue.
    "sbatch": """
if [ "$1" = --test-only ]; then
  [ ! -e "{queue}/refuse" ] || {{ echo "sbatch: error: invalid partition specified: fast" >&2; exit 1; }}
  exit 0
fi
cp "$1" "{queue}/script.$$"
[ ! -e "{queue}/broken" ] || echo false > "{queue}/script.$$"
setsid bash "{queue}/script.$$" > /dev/null 2>&1 &
echo "Submitted batch job $!"
echo $! > "{queue}/job.$!" """,
    "squeue": """
for file in "{queue}"/job.*; do
  job=${{file##*.}}
  [ ! -e "/proc/$job" ] || grep -q '^State:.*Z' "/proc/$job/status" || echo "$job|RUNNING|None"
done""",
    "scancel": """kill -- "-$1" 2>/dev/null || true""",
}


@pytest.fixture
def fake_slurm(tmp_path, monkeypatch):
    """Commands that stand for those of SLURM; the real ones are used in CI."""
    queue, folder = tmp_path / "queue", tmp_path / "bin"
    queue.mkdir()
    folder.mkdir()
    for name, body in FAKE.items():
        file = folder / name
        file.write_text("#!/usr/bin/env bash\n" + body.format(queue=queue).lstrip() + "\n")
        file.chmod(file.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(slurm, "_ASK_S", 0.0)
    monkeypatch.setattr(pool, "_WATCH", 0.5)
    yield queue
    for file in queue.glob("job.*"):
        with suppress(ProcessLookupError):
            os.killpg(int(file.suffix[1:]), signal.SIGKILL)


SMALL_JOBS = Recipe(cluster=ClusterSettings(jobs=2, memory_GB=1, walltime_h=0.2, interface="lo"))


def jobs_of(queue):
    return sorted(int(file.suffix[1:]) for file in queue.glob("job.*"))


def test_jobs_from_a_login_node_are_replaced_when_they_end(fake_slurm, tmp_path):
    said, handler = [], signal.getsignal(signal.SIGINT)
    with open_pool("slurm", SMALL_JOBS, tmp_path / "run", say=said.append) as found:
        assert jobs_of(fake_slurm) == [], "jobs are submitted before there is work"
        results = found.map(calls.slow, [(0.5,) for _ in range(20)])
        assert next(results)[1] == 0.5
        assert signal.getsignal(signal.SIGINT) == handler, "an interrupt would leave the jobs behind"
        lost = jobs_of(fake_slurm)[0]
        os.killpg(lost, signal.SIGKILL)
        assert len(list(results)) == 19
    assert f"SLURM job {lost} ended; its blocks are done elsewhere, and another job is submitted" in said
    assert len(jobs_of(fake_slurm)) == 3


def test_a_job_asks_for_what_the_recipe_says(tmp_path, monkeypatch, fake_slurm):
    from dask_jobqueue import SLURMCluster

    settings = ClusterSettings(
        jobs=3, cores=2, memory_GB=8, walltime_h=1.5, queue="long", account="lena", scratch="/local",
        setup=["module load python"], options=["--exclusive"],
    )  # fmt: skip
    node = slurm.LoginNode(settings, tmp_path / "logs", print)
    with SLURMCluster(**node.options({"pause": False}), asynchronous=False) as cluster:
        script = cluster.job_script()
    for line in (
        "#SBATCH -p long", "#SBATCH -A lena", "#SBATCH --cpus-per-task=2", "#SBATCH --mem=8G", "#SBATCH -t 01:30:00",
        "#SBATCH --exclusive", "module load python", "export DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=False",
    ):  # fmt: skip
        assert line in script.splitlines()
    for option in (
        "--nworkers 2",
        "--nthreads 1",
        "--lifetime 5022s",
        "--lifetime-stagger 270s",
        "--local-directory /local",
    ):
        assert option in script


def test_what_slurm_refuses_is_told_in_its_words(fake_slurm, tmp_path):
    (fake_slurm / "refuse").touch()
    with (
        pytest.raises(UsageError, match="SLURM does not take the job: sbatch: error: invalid partition"),
        open_pool("slurm", SMALL_JOBS, tmp_path / "run") as found,
    ):
        list(found.map(calls.square, [(1,)]))


def test_jobs_that_end_without_a_worker_are_not_submitted_for_ever(fake_slurm, tmp_path):
    (fake_slurm / "broken").touch()
    with (
        pytest.raises(GeotoolsError, match=r"SLURM jobs in a row ended before they had a worker.*run/logs"),
        open_pool("slurm", SMALL_JOBS, tmp_path / "run") as found,
    ):
        list(found.map(calls.square, [(1,)]))
    assert len(jobs_of(fake_slurm)) <= 8


def test_without_slurm_its_absence_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(UsageError, match="there is no `sbatch` here; expected a login node"):
        open_pool("slurm", None, tmp_path).__enter__()


def test_a_block_whose_workers_end_before_it_is_not_begun_for_ever(tmp_path, monkeypatch):
    """Workers that leave in time are no failure to dask, which would begin the block again each time."""
    monkeypatch.setattr(pool, "_WATCH", 0.2)
    short = pool.OnWorkers(places.Processes(lambda _: None), most_attempts=2)
    try:
        with pytest.raises(GeotoolsError, match=r"the block 'long' was begun 2 times.*ended before it"):
            list(short.map(calls.killed_then_long, [(calls.Named("long"), str(tmp_path))]))
    finally:
        short.close()


def test_the_cluster_may_change_when_a_run_goes_on_and_nothing_else(tmp_path):
    recipe = resolved(Recipe())
    journal.claim(tmp_path, recipe)
    journal.claim(tmp_path, resolved(Recipe(cluster=ClusterSettings(jobs=40, queue="long"))))
    with pytest.raises(UsageError, match=r"these keys differ: title;"):
        journal.claim(tmp_path, resolved(Recipe(title="other", cluster=ClusterSettings(jobs=40))))


def test_unknown_keys_of_the_section_are_refused(recipe_file):
    with pytest.raises(UsageError, match=r"unknown key 'cluster.memory'.*the nearest is 'memory_GB'"):
        load(recipe_file(cluster={"memory": 4}))
