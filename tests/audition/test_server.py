"""The server of an audition: nothing is told, nothing is lost, nothing is taken for what it is not."""

import contextlib
import itertools
import json
import re
import socket
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
import yaml
from starlette.testclient import TestClient

from auditions import listened, tone_session, written
from command_line import run
from forestage.audition.results import Results, merge
from forestage.audition.server import _shown, application, bound_socket, kept_address
from forestage.audition.session import load_session
from forestage.audition.static import write_static
from forestage.audition.webmushra import write_webmushra

TOKEN = "secret-token"
HOSTILE = ["<script>alert(1)</script>", "../../x", "'; DROP TABLE ratings; --", "Zoë 😀"]


@contextlib.contextmanager
def client_of(folder, session):
    with Results(folder, session) as results, TestClient(application(folder, session, results, TOKEN)) as client:
        client.base_url = f"http://testserver/{TOKEN}"
        yield client


@pytest.fixture
def session(tmp_path):
    return tone_session(tmp_path, "preference", seconds=0.1)


@pytest.fixture
def client(tmp_path, session):
    with client_of(tmp_path, session) as client:
        yield client


def who(begun):
    return {key: begun[key] for key in ("listener", "draw")}


def begin(client, name="Ann"):
    answer = client.post("/listen", json={"name": name})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_everything_is_below_the_token(client):
    assert client.get("/").status_code == 200
    for path in (
        "/",
        "/x/",
        "/wrong-token/",
        "/wrong-token/session.json",
        "/wrong-token/sounds/a/0/X",
        "/session.json",
    ):
        assert client.get(f"http://testserver{path}").status_code == 404


@pytest.mark.parametrize("name", ["", "page.js", "player.js", "fade.js", "page.css"])
def test_pages_run_only_their_own_scripts(client, name):
    answer = client.get(f"/{name}")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_is_told_nothing_about_what_is_compared(client, session):
    begun = begin(client)
    told = json.dumps(begun) + client.get("/session.json").text
    assert begun["plan"][0] == {"song": 0, "letters": ["X", "Y"]}
    for version in session.versions:
        assert version.id not in told
        assert version.label not in told
    assert not any(sound.id in told for sound in session.songs[0].sounds.values())


def test_sounds_are_those_of_the_plan(client, tmp_path, session):
    begun = begin(client)
    plan = client.app.routes and Results(tmp_path, session)
    with plan as results:
        trials = results.plan(begun["listener"])
    for letter in "XY":
        found = client.get(f"/sounds/{begun['listener']}/3/{letter}").content
        assert found == (tmp_path / "sounds" / f"{trials[3].sounds[letter]}.flac").read_bytes()
    for wrong in ("3/Z", "99/X", "3/..%2f..%2fsession.json"):
        assert client.get(f"/sounds/{begun['listener']}/{wrong}").status_code in (404, 422)
    assert client.get("/sounds/nobody/0/X").status_code == 404


def test_an_answer_that_comes_twice_is_one_and_the_first_stands(client, tmp_path, session):
    begun = begin(client)
    send = {**who(begun), "answers": [{"trial": 0, "choice": "X", "seconds": 2.5}]}
    assert client.post("/ratings", json=send).json() == {"stored": 1}
    assert client.post("/ratings", json=send).json() == {"stored": 0}
    send["answers"][0]["choice"] = "Y"
    assert client.post("/ratings", json=send).json() == {"stored": 0}
    assert begin(client)["done"] == [0]
    with Results(tmp_path, session) as results:
        (rating,) = results.ratings()
        plan = results.plan(begun["listener"])
    assert session.songs[0].sounds[rating.value].id == plan[0].sounds["X"]
    assert (rating.name, rating.seconds) == ("Ann", 2.5)


def test_answers_of_another_draw_are_not_taken(tmp_path, session):
    """Someone moved the results away while answers waited in a browser: their letters stood for something else."""
    with client_of(tmp_path, session) as client:
        before = begin(client)
    for path in tmp_path.glob("results.sqlite*"):
        path.unlink()
    with client_of(tmp_path, session) as client:
        after = begin(client)
        assert after["listener"] == before["listener"]
        found = client.post("/ratings", json={**who(before), "answers": [{"trial": 0, "choice": "X"}]})
        assert (found.status_code, "of another draw" in found.json()["error"]) == (422, True)
        assert begin(client)["done"] == []


def test_a_listener_has_the_same_trials_after_a_restart(tmp_path, session):
    with client_of(tmp_path, session) as client:
        begun = begin(client)
        client.post("/ratings", json={**who(begun), "answers": [{"trial": 5, "choice": "Y"}]})
        sound = client.get(f"/sounds/{begun['listener']}/7/X").content
    with client_of(tmp_path, session) as client:
        assert begin(client) == begun | {"done": [5]}
        assert client.get(f"/sounds/{begun['listener']}/7/X").content == sound


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_data(client, tmp_path, session, name):
    begun = begin(client, name)
    assert begun["name"] == name
    client.post("/ratings", json={**who(begun), "answers": [{"trial": 0, "choice": "X"}]})
    told = run("audition", "results", tmp_path, "--json")
    assert json.loads(told.stdout)["listeners"] == [{"name": name, "trials_done": 1}]
    assert run("audition", "results", tmp_path).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} <= {
        "session.json", "sounds", "results.sqlite", "results.sqlite-shm", "results.sqlite-wal", "results.png"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * 81, "a\x00b", None, 3])
def test_what_is_no_name_is_refused(client, name):
    answer = client.post("/listen", json={"name": name})
    assert answer.status_code == 422
    assert "a line of 1 to 80 characters would be right" in answer.json()["error"]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ({"trial": 12, "choice": "X"}, "0 to 11 would be right"),
        ({"trial": -1, "choice": "X"}, "0 to 11 would be right"),
        ({"trial": True, "choice": "X"}, "0 to 11 would be right"),
        ({"trial": 0, "choice": "Z"}, "X or Y would be right"),
        ({"trial": 0}, "X or Y would be right"),
        ("X", "an object would be right"),
    ],
)
def test_a_wrong_answer_stores_nothing_of_its_batch(client, tmp_path, session, answer, hint):
    begun = begin(client)
    answers = [{"trial": 1, "choice": "X"}, answer]
    found = client.post("/ratings", json={**who(begun), "answers": answers})
    assert (found.status_code, hint in found.json()["error"]) == (422, True)
    with Results(tmp_path, session) as results:
        assert results.ratings() == []


def test_what_is_no_request_is_refused(client):
    assert client.post("/ratings", content=b"{").status_code == 422
    assert client.post("/ratings", content=b"[]").status_code == 422
    assert client.post("/ratings", json={"listener": "nobody", "answers": []}).status_code == 404
    assert client.post("/listen", content=b"x" * (1 << 21)).status_code == 422


def test_points_are_taken_for_all_letters_or_none(tmp_path):
    session = tone_session(tmp_path, "mushra", seconds=0.1)
    with client_of(tmp_path, session) as client:
        begun = begin(client)
        assert begun["plan"] == [{"song": 0, "letters": ["Reference", "A", "B", "C", "D", "E"]}]
        points = dict.fromkeys("ABCDE", 50)
        for wrong in (points | {"E": 101}, {"A": 1}, points | {"F": 1}, points | {"A": "high"}, points | {"A": True}):
            answers = [{"trial": 0, "ratings": wrong}]
            assert client.post("/ratings", json={**who(begun), "answers": answers}).status_code == 422
        answers = [{"trial": 0, "ratings": points}]
        found = client.post("/ratings", json={**who(begun), "answers": answers})
        assert found.json() == {"stored": 5}


@pytest.mark.usefixtures("session")
def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"127.0.0.1:{port}: address already in use; another --port would be right"):
            bound_socket("127.0.0.1", port)
        told = run("audition", "serve", tmp_path, "--port", port)
        assert (told.returncode, f"127.0.0.1:{port}: address already in use" in told.stderr) == (1, True)


def test_a_host_that_is_none_is_named():
    with pytest.raises(OSError, match=r"no\.such\.host\.invalid:0: .*; 127.0.0.1 would be right"):
        bound_socket("no.such.host.invalid", 0)


def test_the_address_stays_the_same_while_its_port_is_free(tmp_path):
    token, first = kept_address(tmp_path, "127.0.0.1", None)
    port = first.getsockname()[1]
    with first:
        other_token, other = kept_address(tmp_path / ".", "127.0.0.1", None)
        with other:
            assert (other_token, other.getsockname()[1] != port) == (token, True)
            last = other.getsockname()[1]
    again_token, again = kept_address(tmp_path, "127.0.0.1", None)
    with again:
        assert (again_token, again.getsockname()[1]) == (token, last)
    assert (tmp_path / "address.json").stat().st_mode & 0o077 == 0


def test_the_address_is_on_this_machine_alone_by_default(tmp_path):
    _, bound = kept_address(tmp_path, "127.0.0.1", None)
    with bound:
        assert bound.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("0.0.0.0", socket.gethostname()), ("studio", "studio")],
)
def test_addresses_are_shown_as_browsers_take_them(host, shown):
    assert _shown(host) == shown


def test_a_corrupt_results_file_is_left_as_it_is(tmp_path, session):
    listened(tmp_path, session, "Ann", lambda of, index: {"choice": "X"})
    path = tmp_path / "results.sqlite"
    whole = path.read_bytes()
    for damaged in (b"no database" * 100, whole[:2000], whole[:8192] + b"\xff" * 4096 + whole[12_288:]):
        for name in ("results.sqlite-wal", "results.sqlite-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        path.write_bytes(damaged)
        told = run("audition", "results", tmp_path)
        assert told.returncode == 1
        assert f"{path}: not a file of results that can be read" in told.stderr
        assert path.read_bytes() == damaged


def test_results_of_another_version_or_session_are_refused(tmp_path, session):
    Results(tmp_path, session).close()
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("UPDATE session SET id = 'other'")
    database.close()
    assert "results of another session" in run("audition", "results", tmp_path).stderr
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    assert "results of version 2; this Forestage reads version 1" in run("audition", "results", tmp_path).stderr


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"forestage_session": 2}', "a session of version 2; this Forestage reads version 1"),
        ("{", "not a session file that can be read"),
        ("[]", "not a session file that can be read"),
        ('{"forestage_session": 1, "songs": 3}', "not a session file that can be read"),
    ],
)
def test_a_session_of_another_version_or_damaged_is_named(tmp_path, text, hint):
    path = written(tmp_path / "session.json", text)
    for command in ("results", "serve"):
        told = run("audition", command, tmp_path)
        assert (told.returncode, str(path) in told.stderr, hint in told.stderr) == (1, True, True)
    assert path.read_text() == text


def test_a_folder_without_a_session_is_named(tmp_path):
    assert "no session: there is no session.json in it" in run("audition", "results", tmp_path).stderr


def static_of(folder, session):
    page = write_static(folder, session, folder / "stick")
    return json.loads((page.parent / "static.js").read_text().removeprefix("const STATIC = ").rstrip(";\n"))


def results_file(static, **changes):
    answers = [{"trial": index, "choice": "X", "seconds": 1, "rated_at": "2026-01-01T00:00:00Z"} for index in range(12)]
    return {
        "kind": static["kind"], "version": static["version"], "session": static["id"], "listener": "0" * 32,
        "name": "Ann", "plan": static["plans"][0], "answers": answers,
    } | changes  # fmt: skip


def test_results_from_a_stick_are_merged_once(tmp_path, session):
    static = static_of(tmp_path, session)
    path = written(tmp_path / "ann.json", results_file(static))
    other = written(tmp_path / "other.json", results_file(static, listener="1" * 32))
    told = run("audition", "merge", tmp_path, path, other)
    assert told.returncode == 0, told.stderr
    assert told.stdout == f"{path}: Ann, 12 ratings, 12 of them new\n{other}: Ann, 12 ratings, 12 of them new\n"
    assert "12 ratings, 0 of them new" in run("audition", "merge", tmp_path, path).stdout
    with Results(tmp_path, session) as results:
        assert list(results.listeners().values()) == ["Ann", "Ann (2)"]
        first = results.ratings()[0]
    sounds = static["plans"][0][0]["sounds"]
    assert session.songs[0].sounds[first.value].id == sounds["X"]


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"version": 2}, "not a file of results that can be read"),
        ({"kind": "holiday"}, "not a file of results that can be read"),
        ({"session": "other"}, "results of another session"),
        ({"name": "a\nb"}, "a line of 1 to 80 characters"),
        ({"plan": [{"song": 0, "sounds": {"X": "../../x", "Y": "y"}}] * 12}, "no sound '../../x' in this session"),
        ({"plan": [{"song": 7, "sounds": {}}] * 12}, "nothing of it was taken"),
        ({"listener": 3}, "nothing of it was taken"),
        ({"answers": [{"trial": 0, "choice": "X"}, {"trial": 1, "choice": "Q"}]}, "X or Y would be right"),
    ],
)
def test_a_wrong_file_of_results_takes_nothing_and_leaves_the_others(tmp_path, session, change, hint):
    static = static_of(tmp_path, session)
    wrong = written(tmp_path / "wrong.json", results_file(static, **change))
    good = written(tmp_path / "good.json", results_file(static, listener="2" * 32))
    torn = written(tmp_path / "torn.json", json.dumps(results_file(static))[:300])
    told = run("audition", "merge", tmp_path, wrong, torn, good)
    assert told.returncode == 1
    assert f"{wrong}: " in told.stderr
    assert hint in told.stderr
    assert f"{torn}: not a file of results that can be read" in told.stderr
    with Results(tmp_path, session) as results:
        assert len(results.ratings()) == 12
        assert list(results.listeners()) == ["2" * 32]


def test_a_static_folder_has_all_sounds_and_no_names_of_presets(tmp_path, session):
    page = write_static(tmp_path, session, tmp_path / "stick")
    texts = "".join(path.read_text() for path in page.parent.rglob("*") if path.suffix in (".html", ".js"))
    assert len(list((page.parent / "sounds").iterdir())) == 2
    assert not any(version.label in texts or version.id in texts for version in session.versions)
    with pytest.raises(FileExistsError, match="is not empty; a new folder would be right"):
        write_static(tmp_path, session, tmp_path / "stick")


def test_songs_whose_names_are_markup_stay_data_in_the_page(tmp_path):
    session = tone_session(tmp_path, "preference", songs=("</script><script>alert(1)</script>.wav",), seconds=0.1)
    write_static(tmp_path, session, tmp_path / "stick")
    assert "</script>" not in (tmp_path / "stick" / "static.js").read_text()


# What webMUSHRA documents for a page of each type (doc/experimenter.md), and `questionnaire`, which its examples have
WEBMUSHRA_FORM = {
    "testname": str, "testId": str, "bufferSize": int, "stopOnErrors": bool, "showButtonPreviousPage": bool,
    "remoteService": str, "pages": list,
}  # fmt: skip
WEBMUSHRA_SOUNDS = {
    "type": str, "id": str, "name": str, "content": str, "showWaveform": bool, "enableLooping": bool, "reference": str,
    "stimuli": dict,
}  # fmt: skip
WEBMUSHRA_PAGES = {
    "generic": {"type": str, "id": str, "name": str, "content": str},
    "mushra": WEBMUSHRA_SOUNDS
    | dict.fromkeys(("strict", "createAnchor35", "createAnchor70", "randomize", "showConditionNames"), bool),
    "paired_comparison": WEBMUSHRA_SOUNDS,
    "finish": {
        "type": str, "name": str, "content": str, "showResults": bool, "writeResults": bool, "questionnaire": list,
    },
}  # fmt: skip


def webmushra_pages(path):
    """The pages with sounds of a configuration that has all documented keys, in their types, and no others."""
    text = path.read_text(encoding="ascii")
    assert not re.search(r"^\s*[^\s\"]*[{\[]", text, re.MULTILINE)  # its parser takes no flow style of several lines
    form = yaml.safe_load(text)
    assert {key: type(value) for key, value in form.items()} == WEBMUSHRA_FORM
    first, (order, *pages), last = form["pages"]
    assert order == "random"
    for page in (first, *pages, last):
        assert {key: type(value) for key, value in page.items()} == WEBMUSHRA_PAGES[page["type"]]
    assert len({page["id"] for page in pages}) == len(pages)
    for page in pages:
        files = [page["reference"], *page["stimuli"].values()]
        assert len(set(files)) == len(files)
        assert all((path.parent.parent.parent / unquote(name)).is_file() for name in files)
    return pages


def test_webmushra_gets_a_configuration_of_its_documented_keys_and_all_files(tmp_path):
    presets = ("laptop", '<b>/../x: "y"')
    session = tone_session(tmp_path / "s", "mushra", songs=("a: b.wav", "<b>.wav"), presets=presets, seconds=0.1)
    pages = webmushra_pages(write_webmushra(tmp_path / "s", session, tmp_path / "configs" / "an evening#1"))
    assert [page["type"] for page in pages] == ["mushra", "mushra"]
    for page in pages:
        assert list(page["stimuli"]) == ["preset-1-laptop", "preset-2-b-x-y", "low-anchor", "mid-anchor"]
        assert (page["createAnchor35"], page["createAnchor70"]) == (False, False)


def test_webmushra_has_a_page_for_each_abx_trial_and_no_preference(tmp_path):
    session = tone_session(tmp_path / "s", "abx", presets=("a", "b", "c"), seconds=0.1, trials=12)
    pages = webmushra_pages(write_webmushra(tmp_path / "s", session, tmp_path / "configs" / "pairs"))
    assert {page["type"] for page in pages} == {"paired_comparison"}
    asked = Counter((Path(page["reference"]).stem, *page["stimuli"]) for page in pages)
    names = [f"preset-{index}-{label}" for index, label in enumerate("abc", 1)]
    assert asked == dict.fromkeys(itertools.permutations(names, 2), 2)  # each pair both ways, and equally often
    preference = replace(session, method="preference")
    with pytest.raises(ValueError, match="no preference without a reference; --method abx or mushra would be right"):
        write_webmushra(tmp_path / "s", preference, tmp_path / "none")
    assert not (tmp_path / "none").exists()
    told = run(
        "audition", "x.wav", "--presets", "laptop", "tv", "-o", tmp_path / "new", "--webmushra", tmp_path / "lab"
    )
    assert (told.returncode, "--method abx or mushra would be right" in told.stderr) == (1, True)


def test_webmushra_gets_all_songs_at_48_khz(tmp_path):
    """A session at 44.1 kHz, whose first version is a tone of 400 Hz."""
    session = tone_session(tmp_path / "s", "abx", seconds=1.0, sample_rate=44_100)
    write_webmushra(tmp_path / "s", session, tmp_path / "lab")
    audio, rate = soundfile.read(tmp_path / "lab" / "wav" / "0" / "preset-1-laptop.wav")
    assert (rate, len(audio)) == (48_000, 48_000)
    assert np.argmax(np.abs(np.fft.rfft(audio[:, 0]))) == 400
    assert np.sqrt(np.mean(audio[1000:-1000] ** 2)) == pytest.approx(0.25 / np.sqrt(2), rel=1e-3)


def test_merged_results_belong_to_the_session_that_is_loaded(tmp_path, session):
    static = static_of(tmp_path, session)
    path = written(tmp_path / "ann.json", results_file(static))
    with Results(tmp_path, load_session(tmp_path)) as results:
        assert merge(results, load_session(tmp_path), path) == ("Ann", 12, 12)
