"""A batch renders each song by each preset once, knows what is done, and says what it could not do."""

import os
import pickle
import re
import sys
import threading
import time
import uuid
from datetime import UTC, datetime

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

import forestage.batch
from command_line import run
from forestage import _core, load_preset
from forestage.batch import rows as rows_of
from forestage.batch.cluster import Run, VersionError, plugged, results, run_of_task
from forestage.batch.estimate import estimate
from forestage.batch.lock import NAME, HeldError, held
from forestage.batch.manifest import found_songs
from forestage.batch.rows import SCHEMA, Rows, read
from forestage.batch.runner import Summary, plan
from forestage.batch.store import Place
from forestage.batch.summary import summary_html
from forestage.batch.task import play, row_of
from forestage.metrics.level import true_peak_dbtp
from forestage.render_file import render_file
from songs import write_song

PRESETS = ["laptop", "tv"]


def sounds(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.wav"))}


def render(songs, output, client, presets=PRESETS, **settings):
    return forestage.batch.render([songs], presets, output, client=client, **settings)


def test_sounds_are_those_of_render(songs, tmp_path, client):
    summary = render(songs, tmp_path / "out", client, monitor="Headphones", amount=80)
    assert repr(summary) == "Summary(done=6, skipped=0, failed=0)"
    names = {f"{preset}/{song}.wav" for preset in PRESETS for song in ("one", "two", "album/three")}
    assert set(sounds(tmp_path / "out")) == names
    render_file(songs / "one.flac", tmp_path / "one.wav", "tv", monitor="Headphones", amount=80)
    assert (tmp_path / "out" / "tv" / "one.wav").read_bytes() == (tmp_path / "one.wav").read_bytes()


def test_rows_tell_what_was_heard(tmp_path, client):
    song = write_song(tmp_path / "song.wav", frames=96_000)
    table = render(song, tmp_path / "out", client, ["laptop"]).table
    (row,) = table.to_pylist()
    assert table.schema.equals(SCHEMA)
    x, _ = soundfile.read(song, dtype="float32")
    y, _ = soundfile.read(row["target"], dtype="float32")
    assert (row["frames"], row["channels"], row["sample_rate"]) == (96_000, 2, 48_000)
    assert row["target_bytes"] == os.path.getsize(row["target"])
    for audio, end in ((x, "in"), (y, "out")):
        meter = _core.LoudnessMeter(48_000.0)
        meter.push(np.ascontiguousarray(audio.T))
        assert row[f"loudness_{end}_lufs"] == pytest.approx(meter.integrated_lufs, abs=0.01)
        assert row[f"correlation_{end}"] == pytest.approx(np.corrcoef(audio.T)[0, 1], abs=0.01)
        side, mid = audio[:, 0] - audio[:, 1], audio[:, 0] + audio[:, 1]
        assert row[f"side_{end}_db"] == pytest.approx(10 * np.log10((side @ side) / (mid @ mid)), abs=0.01)
    assert row["true_peak_out_dbtp"] == pytest.approx(true_peak_dbtp(y.T), abs=1e-3)
    assert row["forestage"] == forestage.__version__
    assert row["limited_share"] == 0
    written = pq.read_table(tmp_path / "out" / "results")
    assert written.to_pylist() == table.to_pylist()


def test_what_is_done_is_not_done_again(songs, tmp_path, client):
    render(songs, tmp_path / "out", client)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}
    again = render(songs, tmp_path / "out", client)
    assert (again.done, again.skipped) == (0, 6)
    assert times == {path: path.stat().st_mtime_ns for path in times}
    assert len(list((tmp_path / "out" / "results").iterdir())) == 1
    assert len(again.table) == 6


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda songs, out: write_song(songs / "one.flac", seed=9), 2),
        (lambda songs, out: (out / "tv" / "two.wav").unlink(), 1),
        (lambda songs, out: (out / "tv" / "two.wav").write_bytes(b"RIFF"), 1),
        (lambda songs, out: (songs / "two.wav").unlink(), 0),
    ],
    ids=["another song", "a sound is gone", "a sound is cut", "a song is gone"],
)
def test_what_changed_is_done_again(change, expected, songs, tmp_path, client):
    out = tmp_path / "out"
    render(songs, out, client)
    before = sounds(out)
    change(songs, out)
    assert render(songs, out, client).done == expected
    changed = {name for name, data in sounds(out).items() if data != before[name]}
    assert changed <= {"laptop/one.wav", "tv/one.wav"}
    assert len(read(Place.of(out), SCHEMA, name="target")) == 6


def test_a_song_that_was_only_touched_is_read_and_left(songs, tmp_path, client):
    render(songs, tmp_path / "out", client)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}
    os.utime(songs / "one.flac", (1, 1))
    assert len(plan([songs], PRESETS, tmp_path / "out").todo) == 2
    assert render(songs, tmp_path / "out", client).done == 2
    assert times == {path: path.stat().st_mtime_ns for path in times}
    assert not plan([songs], PRESETS, tmp_path / "out").todo
    assert all(
        row["status"] == "done" and row["frames"]
        for row in read(Place.of(tmp_path / "out"), SCHEMA, name="target").to_pylist()
    )


def test_other_settings_and_presets_are_other_work(songs, tmp_path, client):
    render(songs, tmp_path / "out", client)
    assert len(plan([songs], PRESETS, tmp_path / "out", amount=50).todo) == 6
    own = tmp_path / "tv.json"
    own.write_text(load_preset("laptop").to_json())
    assert len(plan([songs], ["laptop", own], tmp_path / "out").todo) == 3


def test_one_bad_song_does_not_stop_the_rest(songs, silence, tmp_path, client):
    (songs / "bad.wav").write_text("<script>alert(1)</script>")
    listed = tmp_path / "list.txt"
    listed.write_text(f"{songs / 'one.flac'}\n# a comment\nsongs/bad.wav\n{tmp_path / 'gone.flac'}\nsilence.wav\n")
    summary = forestage.batch.render([listed], ["laptop"], tmp_path / "out", client=client)
    assert (summary.done, summary.failed) == (2, 2)
    errors = {row["source"].rsplit("/", 1)[-1]: row["error"] for row in summary.failures()}
    assert "not an audio file" in errors["bad.wav"]
    assert "gone.flac" in errors["gone.flac"]
    assert list(summary.frame()["source"]) == summary.table["source"].to_pylist()
    quiet = next(row for row in summary.table.to_pylist() if row["source"].endswith("silence.wav"))
    assert quiet["loudness_out_lufs"] is None
    assert "not an audio file" in summary_html(summary)
    again = forestage.batch.render([listed], ["laptop"], tmp_path / "out", client=client)
    assert (again.done, again.skipped, again.failed) == (0, 2, 2)


def test_only_songs_of_this_run_are_spoken_of(songs, tmp_path, client):
    bad = songs / "bad.wav"
    bad.write_text("no sound")
    assert render(songs, tmp_path / "out", client).failed == 2
    bad.unlink()
    again = render(songs, tmp_path / "out", client)
    assert (again.done, again.skipped, again.failed, again.failures()) == (0, 6, 0, [])
    assert "bad.wav" not in summary_html(again)
    assert set(render(songs / "one.flac", tmp_path / "out", client, ["tv"]).frame()["target"]) == {
        str(tmp_path / "out" / "tv" / "one.wav")
    }


def test_names_are_data_on_the_page(tmp_path, client):
    song = write_song(tmp_path / "<b>song & dance.wav")
    song.write_text("no sound")
    html = summary_html(render(song, tmp_path / "out", client, ["laptop"]))
    assert "&lt;b&gt;song &amp; dance" in html
    assert "<b>song" not in html


def test_driver_feeds_have_a_channel_each(songs, tmp_path, client):
    table = render(songs, tmp_path / "out", client, ["soundbar-3"], monitor="Speakers").table
    assert set(table["channels"].to_pylist()) == {3}


def test_songs_of_one_name_keep_their_ending(tmp_path, client):
    for name in ("a.flac", "a.wav"):
        write_song(tmp_path / "songs" / name, frames=1000)
    render(tmp_path / "songs", tmp_path / "out", client, ["laptop"])
    assert set(sounds(tmp_path / "out")) == {"laptop/a.flac.wav", "laptop/a.wav.wav"}


def test_two_songs_that_would_become_one_are_refused(tmp_path, client):
    one, two = write_song(tmp_path / "x" / "a.flac"), write_song(tmp_path / "y" / "a.flac")
    with pytest.raises(ValueError, match=r"both would become .*a\.flac\.wav"):
        forestage.batch.render([one, two], ["laptop"], tmp_path / "out", client=client)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("songs_of", "presets", "settings", "reason"),
    [
        ("nowhere", ["laptop"], {}, "no song there"),
        ("songs", [], {}, "no presets"),
        ("songs", ["laptop", "laptop"], {}, "a second preset called laptop"),
        ("songs", ["latpop"], {}, "no preset 'latpop'"),
        ("songs", ["laptop"], {"amount": 400}, "amount"),
        ("songs", ["laptop"], {"amuont": 40}, "amuont"),
    ],
)
def test_what_no_song_could_be_rendered_with_is_said_at_once(songs_of, presets, settings, reason, songs, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError, KeyError), match=reason):
        forestage.batch.render(
            [tmp_path / songs_of], presets, tmp_path / "out", scheduler="tcp://127.0.0.1:1", **settings
        )
    assert not (tmp_path / "out").exists()


def test_one_batch_at_a_time(songs, tmp_path, client):
    out = tmp_path / "out"
    out.mkdir()
    with held(Place.of(out)), pytest.raises(HeldError, match=f"process {os.getpid()} of .* is at work here"):
        render(songs, out, client)
    assert render(songs, out, client).done == 6


def test_what_a_killed_run_left_half_written_goes_away(songs, tmp_path, client):
    part = tmp_path / "out" / "tv" / ".two.wav.part-abc"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    render(songs, tmp_path / "out", client)
    assert not part.exists()


def test_addresses_of_stores_are_as_good_as_folders(songs, tmp_path, client):
    root = f"memory://{uuid.uuid4().hex}"
    memory = fsspec.filesystem("memory")
    memory.put(str(songs), f"{root}/songs", recursive=True)
    summary = forestage.batch.render([f"{root}/songs/**/*.flac"], ["laptop"], f"{root}/out", client=client)
    assert (summary.done, summary.failed) == (2, 0)
    forestage.batch.render([songs], ["laptop"], tmp_path / "out", client=client)
    for name in ("one", "album/three"):
        assert memory.cat_file(f"{root}/out/laptop/{name}.wav") == (tmp_path / f"out/laptop/{name}.wav").read_bytes()
    again = forestage.batch.render([f"{root}/songs/**/*.flac"], ["laptop"], f"{root}/out", client=client)
    assert (again.done, again.skipped) == (0, 2)
    assert not memory.exists(f"{root}/out/{NAME}")
    memory.pipe_file(f"{root}/songs/one.flac", b"another")
    assert forestage.batch.render([f"{root}/songs/one.flac"], ["laptop"], f"{root}/out", client=client).failed == 1


def test_an_address_that_needs_another_package_says_which(monkeypatch):
    monkeypatch.setitem(sys.modules, "adlfs", None)
    with pytest.raises(ValueError, match=r"abfs://label/songs: .*adlfs.*, by pip install"):
        Place.of("abfs://label/songs")


def test_a_store_is_held_too(client):
    place = Place.of(f"memory://{uuid.uuid4().hex}")
    with held(place), pytest.raises(HeldError, match="is at work here"), held(place):
        pass
    place.fs.pipe_file(f"{place.path}/{NAME}", b'{"user": "u", "host": "h", "process": 1, "since": 0, "beat": 0}')
    with held(place):  # who was silent for so long is gone
        pass


def test_lists_and_folders_name_the_same_songs(songs, tmp_path):
    (tmp_path / "list.csv").write_text("title,source\nOne,songs/one.flac\nThree,songs/album/three.flac\n")
    listed = found_songs([tmp_path / "list.csv"])
    assert [relative for relative, _ in listed.values()] == ["songs/one.flac", "songs/album/three.flac"]
    assert set(listed) < set(found_songs([songs]))
    assert list(found_songs([songs / "*.flac", songs])) == [
        str(songs / name) for name in ("one.flac", "album/three.flac", "two.wav")
    ]


def test_a_worker_of_another_version_is_refused(songs, tmp_path, client, monkeypatch):
    monkeypatch.setattr("forestage.batch.runner.__version__", "0.0.1")
    with pytest.raises(VersionError, match=rf"runs forestage {forestage.__version__}, this run is of 0\.0\.1"):
        render(songs, tmp_path / "out", client)


def test_a_rows_file_of_something_else_is_named(songs, tmp_path, client):
    (tmp_path / "out" / "results").mkdir(parents=True)
    (tmp_path / "out" / "results" / "mine.parquet").write_text("mine")
    with pytest.raises(ValueError, match=r"mine\.parquet: other results than these"):
        render(songs, tmp_path / "out", client)


def test_presets_do_not_travel_with_tasks(songs, tmp_path):
    (job, _), *_ = plan([songs], ["laptop"], tmp_path / "out").todo
    assert len(pickle.dumps(job)) < 2000 < len(load_preset("laptop").to_json()) / 100


def test_the_command_tells_what_it_would_do_and_does_it(songs, tmp_path):
    words = ("batch", songs, "--presets", "laptop", "-o", tmp_path / "out", "--workers", 1)
    would = run(*words, "--dry-run")
    assert would.returncode == 0, would.stderr
    assert "3 to do (3 songs by laptop), 0 done before" in would.stdout
    assert "s of processor time" in would.stdout
    assert not (tmp_path / "out" / "laptop").exists()
    (songs / "bad.wav").write_text("nothing")
    result = run(*words)
    assert result.returncode == 1
    assert "summary.html: 3 done, 0 done before, 1 failed" in result.stdout
    assert "bad.wav by laptop" in result.stderr
    assert "dashboard: http://127.0.0.1:" in result.stderr
    assert (tmp_path / "out" / "summary.html").stat().st_size > 100_000


def test_presets_are_listed_and_the_room_is_asked_for_as_elsewhere(songs, tmp_path):
    result = run("batch", songs, "--presets", "laptop", "tv", "--room", "on", "-o", tmp_path / "out", "--workers", 1)
    assert result.returncode == 0, result.stderr
    table = read(Place.of(tmp_path / "out"), SCHEMA, name="target")
    assert set(table["preset"].to_pylist()) == {"laptop", "tv"}
    render_file(songs / "one.flac", tmp_path / "one.wav", "tv", monitor="Headphones", room="On")
    assert (tmp_path / "out" / "tv" / "one.wav").read_bytes() == (tmp_path / "one.wav").read_bytes()


def test_a_job_that_nobody_wants_any_more_ends_at_its_next_block_and_leaves_nothing(tmp_path):
    song = write_song(tmp_path / "song.wav", frames=8 * 65_536)
    (job, _), *_ = plan([song], ["laptop"], tmp_path / "out").todo
    asked = []

    def wanted():
        asked.append(None)
        if len(asked) == 3:
            raise InterruptedError

    assert row_of(job, load_preset("laptop"), wanted=wanted)["status"] == "failed"  # of an error of the system's kind
    assert len(asked) == 3
    assert not list((tmp_path / "out").rglob("*.wav*"))


def until_over(name):
    """Ask until the run of a task is over."""
    from distributed import Reschedule

    try:
        while True:
            run_of_task(name)
            time.sleep(0.01)
    except Reschedule:
        return "over"


def test_the_end_of_a_run_ends_its_tasks_and_no_others(songs, tmp_path, client):
    (job, _), *_ = (its_plan := plan([songs], ["laptop"], tmp_path / "out")).todo
    texts = {preset.sha256: preset.text for preset in its_plan.presets}
    one, other = Run(forestage.__version__, texts), Run(forestage.__version__, texts)
    with plugged(client, one):
        with plugged(client, other):
            asking = client.submit(until_over, other.name)
        assert asking.result(60) == "over"
        assert client.submit(play, job, one.name).result(60)["status"] == "done"


def test_rows_are_there_at_once_and_in_few_files(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_of, "ROWS_A_FILE", 10)
    monkeypatch.setattr(rows_of, "SECONDS_AT_A_TIME", 0.0)
    place = Place.of(tmp_path)
    rows = Rows(place, SCHEMA, name="target")
    for i in range(35):
        rows.add({"target": f"{i:02}", "status": "done", "finished": datetime.now(UTC)})
        assert read(place, SCHEMA, name="target")["target"].to_pylist() == [f"{j:02}" for j in range(i + 1)]
        assert len(list((tmp_path / "results").iterdir())) == i // 10 + 1
    assert len(rows.finish()) == 35
    assert len(list((tmp_path / "results").iterdir())) == 1


def test_rows_end_in_the_order_of_their_names_however_they_came(tmp_path):
    for names in (["b", "c", "a"], ["d", "b"]):
        rows = Rows(Place.of(tmp_path), SCHEMA, name="target")
        for name in names:
            rows.add({"target": name, "status": "done", "finished": datetime.now(UTC)})
        rows.finish()
        (file,) = (tmp_path / "results").iterdir()
        written = pq.read_table(file)["target"].to_pylist()
        assert written == sorted(set(written))
    assert written == ["a", "b", "c", "d"]


def row_of_number(number):
    return {"status": "done", "frames": number}


def test_what_came_of_a_task_counts_also_when_its_worker_dies_at_that_moment(client, monkeypatch):
    from distributed import as_completed

    next_batch = as_completed.next_batch

    def and_then_its_worker_dies(self, block):
        ended = next_batch(self, block)
        for future, _ in ended:
            future._state.lose()
        return ended

    monkeypatch.setattr(as_completed, "next_batch", and_then_its_worker_dies)
    assert list(results(client, row_of_number, [(1,)])) == [((1,), {"status": "done", "frames": 1})]


MAY_GO = threading.Event()  # workers in this process find it by its name


def when_it_may(_i):
    MAY_GO.wait(60)
    return {"status": "done"}


def test_more_tasks_are_handed_out_when_workers_join():
    from distributed import Client, LocalCluster

    taken = []

    def tasks():
        for i in range(40):
            taken.append(i)
            yield (i,)

    with (
        LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        run_all = threading.Thread(target=lambda: ended.extend(results(client, when_it_may, tasks())))
        ended = []
        run_all.start()
        try:
            for workers, window in ((1, 8), (3, 24)):
                cluster.scale(workers)
                end = time.monotonic() + 60
                while len(taken) < window and time.monotonic() < end:
                    time.sleep(0.01)
                assert len(taken) == window
        finally:
            MAY_GO.set()
            run_all.join(60)
    assert len(ended) == 40


def test_an_estimate_counts_all_that_is_to_be_done_and_passes_over_what_is_no_sound(tmp_path):
    for seed, name in enumerate(("a.wav", "b.wav", "c.wav")):
        write_song(tmp_path / "songs" / name, seed=seed, frames=48_000)
    (tmp_path / "songs" / "bad.wav").write_bytes(b"no sound" * 24_000)  # as large as the others
    guess = estimate(plan([tmp_path / "songs"], ["laptop", "tv"], tmp_path / "out"), {"monitor": "Headphones"})
    assert "bad.wav" not in guess.sample
    assert guess.heard_s == 1.0
    assert guess.output_bytes == pytest.approx(4 * 2 * 48_000 * 8, rel=0.01)
    assert guess.cpu_s > 0


def test_the_page_is_as_small_for_many_songs_and_tells_the_same(songs, tmp_path, client):
    few = render(songs, tmp_path / "out", client)
    rows = [dict(row) for row in few.table.to_pylist() * 2000]
    for index, row in enumerate(rows):
        row["source"], row["loudness_out_lufs"] = f"{index // 2}", row["loudness_in_lufs"] + 1.0 + index % 3
    many = Summary(len(rows), 0, 0, rows_of.pa.Table.from_pylist(rows, schema=SCHEMA))
    html = summary_html(many)
    assert len(html) < len(summary_html(few)) + 1000
    assert "6000 songs, 12000 sounds" in html
    assert "laptop: median 2.0, from 1.0 to 3.0" in html
    assert "+2.0 LU" in html


def test_what_cannot_be_written_is_named_as_it_would_be(songs, tmp_path, client):
    (tmp_path / "out" / "laptop" / "one.wav").mkdir(parents=True)
    (row,) = render(songs / "one.flac", tmp_path / "out", client, ["laptop"]).failures()
    assert row["error"].endswith(f"'{tmp_path / 'out' / 'laptop' / 'one.wav'}'")


def test_a_song_that_is_cut_off_is_noted(songs, tmp_path, client):
    raw = (songs / "two.wav").read_bytes()
    (songs / "two.wav").write_bytes(raw[: len(raw) // 2])
    for _ in range(2):
        summary = render(songs, tmp_path / "out", client)
        ((song, note),) = summary.notes().items()
        assert song == str(songs / "two.wav")
        assert re.fullmatch(r"is cut off: [\d.]+ s are there, and its header announces [\d.]+ s", note)
        assert summary.failed == 0
        assert note in summary_html(summary)


def test_rows_from_before_there_were_notes_are_read(songs, tmp_path, client):
    render(songs, tmp_path / "out", client)
    (path,) = (tmp_path / "out" / "results").iterdir()
    pq.write_table(pq.read_table(path).drop_columns("note"), path)
    assert render(songs, tmp_path / "out", client).skipped == 6
