"""What goes wrong in the middle of a batch: nothing is lost, nothing done twice, and the next run goes on."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

import forestage.batch
from command_line import mind_interrupts
from forestage.batch.rows import SCHEMA, read
from forestage.batch.store import Place
from signals import noise
from songs import write_song

pytestmark = pytest.mark.slow

SONGS = 10
SECONDS = 15
PRESET = "laptop"


@pytest.fixture
def many(tmp_path):
    """Songs that take some moments each."""
    return [write_song(tmp_path / "songs" / f"{i:02}.wav", seed=i, frames=48_000 * SECONDS) for i in range(SONGS)]


@contextlib.contextmanager
def process(*words, **options):
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes, preexec_fn=mind_interrupts, **options) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def batch(songs, output, *words, **options):
    folder = songs[0].parent
    command = (sys.executable, "-m", "forestage", "batch", folder, "-p", PRESET, "-o", output)
    return process(*command, *map(str, words), **options)


def wait_until(happened, *, seconds=60):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)


def sounding(output):
    return [path for path in sorted(output.glob("*/*.wav")) if not path.name.startswith(".")]


def sounds(output):
    return {path.name: path.read_bytes() for path in sounding(output)}


@pytest.fixture
def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{free.getsockname()[1]}"


def scheduler(address):
    port = address.rsplit(":", 1)[1]
    return process(sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port,
                   "--no-dashboard")  # fmt: skip


def worker(address, *options):
    return process(sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard",
                   *options)  # fmt: skip


def test_a_run_that_is_killed_twice_ends_with_the_same_bits(many, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for kill in (signal.SIGKILL, signal.SIGINT):
        already = len(sounds(cut))
        with batch(many, cut, "--workers", 2) as child:
            wait_until(lambda seen=already: len(sounding(cut)) >= seen + 2)
            child.send_signal(kill)
            child.wait(60)
            assert kill == signal.SIGKILL or child.returncode == 130
    assert 4 <= len(sounds(cut)) < SONGS
    for output in (cut, whole):
        assert forestage.batch.render(many, [PRESET], output, workers=2).failed == 0
    assert sounds(cut) == sounds(whole)
    assert len(sounds(whole)) == SONGS
    assert not list(cut.rglob(".*part*"))
    rows = [read(Place.of(output), SCHEMA, name="target").to_pylist() for output in (cut, whole)]
    different = {"target", "cpu_s", "finished"}
    kept = [[{name: row[name] for name in row.keys() - different} for row in table] for table in rows]
    assert kept[0] == kept[1]


def children_of(pid):
    lists = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
    return [int(child) for each in lists for child in each.read_text().split()]


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("processes", [2, 3], ids=["of one worker", "of two workers"])
def test_ctrl_c_ends_a_run_at_the_start(processes, many, tmp_path):
    """One of the processes is of Python itself; those of workers have not come far."""
    with batch(many, tmp_path / "out", "--workers", 2, start_new_session=True) as child:
        wait_until(lambda: len(children_of(child.pid)) >= processes)
        started = children_of(child.pid)
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does
        _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert errors.endswith("\nforestage: interrupted\n")
    assert "Traceback" not in errors
    wait_until(lambda: not any(map(is_running, started)))
    assert not sounds(tmp_path / "out")


def test_a_worker_that_is_killed_loses_nothing(many, tmp_path):
    killed = []

    def kill_one(client):
        pids = client.run(os.getpid)

        def after_two(said):
            if said.done == 2 and not killed:
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)

        told.append(after_two)

    told = []
    summary = forestage.batch.render(
        many, [PRESET], tmp_path / "out", workers=2, started=kill_one, progress=lambda said: told[0](said)
    )
    assert killed
    assert (summary.done, summary.failed) == (SONGS, 0)
    assert len(sounds(tmp_path / "out")) == len(summary.table) == SONGS


def test_a_scheduler_that_goes_ends_the_run_and_the_next_goes_on(many, tmp_path, address):
    out = tmp_path / "out"
    with scheduler(address) as head, worker(address):
        with batch(many, out, "--scheduler", address) as child:
            wait_until(lambda: len(sounding(out)) >= 2)
            head.kill()
            _, errors = child.communicate(timeout=90)
        assert "the scheduler has gone; run the same again" in errors
        assert child.returncode in (1, -signal.SIGABRT)  # Python gives up on threads of Dask's that still log
    before = len(sounds(out))
    with scheduler(address), worker(address):
        summary = forestage.batch.render(many, [PRESET], out, scheduler=address)
    assert summary.failed == 0
    assert summary.skipped >= 1  # the last one may have been on its way
    assert summary.done + summary.skipped == SONGS
    assert len(sounds(out)) == SONGS
    assert before < SONGS


def test_all_workers_may_go_and_come_back(many, tmp_path, address):
    out = tmp_path / "out"
    with scheduler(address), contextlib.ExitStack() as workers:
        first = workers.enter_context(worker(address, "--no-nanny"))
        with batch(many, out, "--scheduler", address) as child:
            wait_until(lambda: len(sounding(out)) >= 2)
            first.kill()
            first.wait()
            workers.enter_context(worker(address, "--no-nanny"))
            _, errors = child.communicate(timeout=120)
        assert child.returncode == 0, errors
    assert len(sounds(out)) == len(read(Place.of(out), SCHEMA, name="target")) == SONGS


def test_a_full_disk_is_said_and_leaves_nothing_half(many, tmp_path, client):
    small = tmp_path / "small"
    small.mkdir()
    size = SECONDS * 48_000 * 8
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={3 * size + size // 2}", "none", small]).returncode:
        pytest.skip("a small file system can be mounted by root only")
    try:
        summary = forestage.batch.render(many, [PRESET], small, client=client)
        assert 1 <= summary.done <= 3
        assert summary.done + summary.failed == SONGS
        assert {row["error"] for row in summary.failures()} == {"no space left where the sounds go"}
        assert len(sounds(small)) == summary.done
        assert not list(small.rglob(".*part*"))
        subprocess.run(["mount", "-o", "remount,size=1G", small], check=True)
        again = forestage.batch.render(many, [PRESET], small, client=client)
        assert (again.skipped, again.failed) == (summary.done, 0)
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_folder_that_disappears_is_made_again(many, tmp_path, client):
    out = tmp_path / "out"

    def take_away(said):
        if said.done == 2 and not elsewhere.exists():
            out.rename(elsewhere)

    elsewhere = tmp_path / "elsewhere"

    summary = forestage.batch.render(many, [PRESET], out, client=client, progress=take_away)
    assert summary.done + summary.failed == SONGS
    again = forestage.batch.render(many, [PRESET], out, client=client)
    assert again.done + again.skipped == SONGS
    assert len(sounds(out)) == SONGS


def test_a_song_deleted_meanwhile_is_a_failure_and_a_preset_that_changes_is_as_it_was(many, tmp_path, client):
    own = tmp_path / "own.json"
    forestage.presets.save_preset("laptop", own)

    def change(said):
        if said.done == 1:
            many[-1].unlink()
            own.write_text(own.read_text().replace('"name": "Laptop"', '"name": "Changed"'))

    summary = forestage.batch.render(many, [own], tmp_path / "out", client=client, progress=change)
    assert (summary.done, summary.failed) == (SONGS - 1, 1)
    assert "no such file" in summary.failures()[0]["error"]
    assert len(set(summary.table["preset_sha256"].to_pylist())) == 1


def test_a_second_batch_in_the_folder_is_refused_and_told_who_holds_it(many, tmp_path):
    with batch(many, tmp_path / "out", "--workers", 1) as first:
        wait_until(lambda: sounds(tmp_path / "out"))
        first.send_signal(signal.SIGSTOP)  # it holds the folder however long the second one takes to come
        with batch(many, tmp_path / "out") as second:
            _, errors = second.communicate(timeout=120)
        first.send_signal(signal.SIGCONT)
        assert second.returncode == 1
        assert f"process {first.pid} of" in errors
        first.send_signal(signal.SIGINT)
        first.wait(60)


def peak_kb():
    """Of this process alone: what getrusage tells counts its parent before it began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize("minutes", [120])
def test_memory_stays_flat_over_two_hours(minutes, tmp_path):
    """At 8 kHz, so that it takes seconds; a worker is a process of its own."""
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 8000, 2, "PCM_16") as file:
        for _ in range(minutes):
            file.write(noise(frames=8000 * 60).T)
    memory_kb = {}

    def watch(client):
        clients.append(client)

    def measure(_said):
        memory_kb.update(clients[0].run(peak_kb))

    clients = []
    songs = [tmp_path / "long.wav"]
    summary = forestage.batch.render(songs, [PRESET], tmp_path / "out", workers=1, started=watch, progress=measure)
    assert summary.done == 1
    assert summary.table["frames"][0].as_py() == minutes * 60 * 8000
    assert max(memory_kb.values()) <= 400_000


def test_an_object_store_of_s3(many, tmp_path, monkeypatch, client):
    moto = pytest.importorskip(
        "moto.server", reason="moto and s3fs are not installed (pip install moto[s3,server] s3fs)"
    )
    pytest.importorskip("s3fs")
    import fsspec

    server = moto.ThreadedMotoServer(port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        s3 = fsspec.filesystem("s3")
        s3.mkdir("label")
        for song in many[:3]:
            s3.put_file(str(song), f"label/catalogue/{song.name}")
        summary = forestage.batch.render(["s3://label/catalogue/*.wav"], [PRESET], "s3://label/rendered", client=client)
        assert (summary.done, summary.failed) == (3, 0)
        forestage.batch.render(many[:3], [PRESET], tmp_path / "out", client=client)
        stored = {name: s3.cat_file(f"label/rendered/{PRESET}/{name}") for name in sounds(tmp_path / "out")}
        assert stored == sounds(tmp_path / "out")
        again = forestage.batch.render(["s3://label/catalogue/*.wav"], [PRESET], "s3://label/rendered", client=client)
        assert (again.done, again.skipped) == (0, 3)
    finally:
        server.stop()
