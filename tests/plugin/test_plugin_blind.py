"""Blind trials through the VST3: what a host sees, sets and keeps."""

import time

import numpy as np
import pytest

from forestage import PARAMS, _core
from forestage.host import plugin_state
from make_preset import SMALL
from raw_vst3 import RawVst3

ROWS = {row.name: row for row in PARAMS}
ONE, TWO = (SMALL[name] for name in ("smart-speaker", "laptop"))


@pytest.fixture
def host(small_bundle):
    host = RawVst3(small_bundle)
    host.state = plugin_state(ONE, b=TWO, monitor="Headphones").encode()
    yield host
    host.close()


def put(host, name, value):
    row = ROWS[name]
    plain = row.choices.index(value) if isinstance(value, str) else value
    host.process({host.ids[name]: row.normalised(plain)}, frames=512)


def state_of(host):
    body = host.state.removesuffix(b"JUCEPrivateData")
    size = int.from_bytes(body[-8:], "little")
    return _core.parse_state(body[: -8 - size])


def answered(host, count, answer="X"):
    for _ in range(count):
        put(host, "Blind Answer", "None")
        put(host, "Blind Answer", answer)


def test_trials_by_parameters_are_in_the_state_and_come_back(host):
    put(host, "Blind Trials", 4)
    put(host, "Blind", "ABX")
    answered(host, 3)
    first = state_of(host)
    assert {"blind", "blind_answer", "blind_listen"}.isdisjoint(first["parameters"])
    ((a, b, run),) = first["blind"]
    assert (a, b) == (ONE["name"], TWO["name"])
    assert (run.method, run.pair, run.planned, len(run.trials)) == ("ABX", "Slots A And B", 4, 3)
    assert {answer for _, answer in run.trials} == {"X"}
    answered(host, 1)
    assert host.state  # which takes what is answered, as a timer does ten times a second
    put(host, "Blind", "Off")
    put(host, "Blind Pair", "Design And Plain")
    put(host, "Blind", "Preference")
    answered(host, 1, "Y")
    (_, _, whole), (a, b, other) = state_of(host)["blind"]
    assert (whole.trials[:3], len(whole.trials), whole.is_over) == (run.trials, 4, True)
    assert (a, b, other.method) == (f"{ONE['name']}, design", f"{ONE['name']}, plain", "Preference")
    saved = host.state
    host.process(frames=512)
    host.state = saved
    host.process(frames=512)
    assert host.get(host.ids["Blind"]) == 0
    assert [run.trials for _, _, run in state_of(host)["blind"]] == [whole.trials, other.trials]


def test_a_host_sees_no_slot_move_and_no_meter(host):
    put(host, "Blind", "Preference")
    names = [row.name for row in PARAMS if not row.name.startswith("Blind")]
    seen = []
    for listen in "XYXY":
        put(host, "Blind Listen", listen)
        for _ in range(20):
            host.process(frames=512)
        time.sleep(0.15)  # a timer shows meters
        seen.append({name: host.get(host.ids[name]) for name in names})
    assert all(each == seen[0] for each in seen[1:])


def test_counts_are_whole_numbers_for_hosts(host):
    for name in ("Blind Trials", "Blind Trial", "Blind Hits"):
        texts = [host.text(host.ids[name], value) for value in np.linspace(0, 1, 1001)]
        least, most = int(ROWS[name].min_value), int(ROWS[name].max_value)
        assert list(dict.fromkeys(texts)) == [str(count) for count in range(least, most + 1)]


@pytest.mark.parametrize(("name", "on"), [("Level Match", "Calibrated"), ("Safe Headroom", "Strict")])
def test_automation_of_sessions_before_means_what_it_meant(host, name, on):
    """Both were toggles."""
    row = ROWS[name]
    for value, meaning in ((0.0, "Off"), (1.0, on), (0.5, "Programme")):
        host.process({host.ids[name]: value}, frames=512)
        assert state_of(host)["parameters"][row.id] == row.choices.index(meaning)
        assert host.text(host.ids[name], value) == meaning
