"""Values as hosts write them: between steps, beyond the range, NaN, and programs written back late, in any order."""

import itertools
import time

import numpy as np
import pedalboard
import pytest

from forestage import PARAMS, Renderer, _core, load_preset, vst3
from forestage.host import plugin_state
from kinds import first_fast
from make_preset import SMALL
from raw_vst3 import PROGRAM, RawVst3

ROWS = {row.name: row for row in PARAMS}
WRITABLE = [row for row in PARAMS if not row.is_read_only]
STEPPED = [row for row in WRITABLE if row.kind != "linear" and row.is_kept]
ONE, TWO, THREE = (SMALL[name] for name in ("smart-speaker", "laptop", "tv"))
OWN = TWO | {"text": "mine"}
ODD_VALUES = (float("nan"), float("inf"), float("-inf"), -0.5, 1.5, 1e300, -1e300, 5e-324, -0.0, 0.4)


@pytest.fixture
def host(small_bundle):
    host = RawVst3(small_bundle)
    yield host
    host.close()


@pytest.fixture(scope="module")
def plugin(small_bundle):
    """In pedalboard, for hosts that read nothing back."""
    return pedalboard.VST3Plugin(str(small_bundle))


def load(host: RawVst3, *args, **kwargs) -> None:
    host.state = plugin_state(*args, **kwargs).encode()


def state_of(host: RawVst3) -> dict:
    """What a host keeps, without what JUCE appends: its own data, their length in eight bytes, a mark."""
    body = host.state.removesuffix(b"JUCEPrivateData")
    size = int.from_bytes(body[-8:], "little")
    return _core.parse_state(body[: -8 - size])


def step(row, value: float) -> float:
    """The nearest step to a normalised value, to the bit as the plugin has it."""
    last = np.float32(row.max_value)
    return float(np.round(np.float32(np.clip(value, 0, 1)) * last) / last)


def program_name(host: RawVst3) -> str:
    return host.text(PROGRAM, host.get(PROGRAM))


@pytest.mark.parametrize("is_playing", [False, True])
def test_stepped_value_is_snapped_when_it_is_written_and_stays_so_over_a_state(host, is_playing):
    load(host, ONE, b=TWO)
    for row, value in itertools.product(STEPPED, np.random.default_rng(11).uniform(size=4)):
        host.process({host.ids[row.name]: value}, playing=is_playing)
        host.set(host.ids[row.name], value)
        expected = step(row, value)
        assert host.get(host.ids[row.name]) == expected, row.id
        assert host.told.get(host.ids[row.name], expected) == expected
    held = {row.id: host.get(host.ids[row.name]) for row in STEPPED}
    state = host.state
    assert {row.id: row.normalised(state_of(host)["parameters"][row.id]) for row in STEPPED} == pytest.approx(held)
    host.state = state
    assert {row.id: host.get(host.ids[row.name]) for row in STEPPED} == held
    assert host.state == state


@pytest.mark.parametrize("seed", range(3))
def test_host_that_never_reads_back_finds_every_value_restored(plugin, seed):
    """What pluginval does at its highest level: it trusts its own copy of the values, and what it is told."""
    rng = np.random.default_rng(seed)
    plugin.preset_data = vst3.vstpreset(plugin_state(ONE, b=TWO))
    parameters = [plugin.parameters[name] for name in (*(row.id for row in STEPPED if row.id != "bypass"), "preset")]
    for parameter in parameters:
        parameter.raw_value = rng.uniform()
    original = plugin.raw_state
    for parameter in parameters:
        before = parameter.raw_value
        parameter.raw_value = rng.uniform()
        plugin.raw_state = original
        assert parameter.raw_value == pytest.approx(before, abs=1e-6), parameter.name
    assert plugin.raw_state == original


@pytest.mark.parametrize("value", ODD_VALUES)
def test_no_value_of_a_host_reaches_parameters_or_state_unclamped(host, value):
    load(host, TWO, amount=80, monitor="Headphones Plain")
    before = {name: host.get(param_id) for name, param_id in host.ids.items()}
    host.process(dict.fromkeys(host.ids.values(), value), frames=480)
    for name, param_id in host.ids.items():
        host.set(param_id, value)
        got = host.get(param_id)
        assert 0 <= got <= 1
        if np.isnan(value):
            assert got == before[name], name
        elif name in ROWS and ROWS[name].kind == "linear":
            assert got == np.clip(value, 0, 1), name
        elif name in ROWS and not ROWS[name].is_read_only:
            assert got == step(ROWS[name], value), name
        assert host.text(param_id, value) == host.text(param_id, got if np.isnan(value) else np.clip(value, 0, 1))
    parameters = state_of(host)["parameters"]
    assert parameters.keys() == {row.id for row in WRITABLE if row.is_kept}
    assert all(row.min_value <= parameters[row.id] <= row.max_value for row in WRITABLE if row.is_kept)
    assert np.isfinite(host.process(frames=480)).all()


def test_status_is_the_plugins_whatever_a_host_writes(host):
    host.set(host.ids["Status"], 0.75)
    assert host.get(host.ids["Status"]) == 0
    assert host.told[host.ids["Status"]] == 0


def test_meters_show_what_the_engine_does_and_are_no_part_of_the_state(host):
    """A timer of the plugin moves them, so the host hears of them a little after the sound."""
    settings = {"input_trim_db": 24, "output_trim_db": 24}
    load(host, TWO, **settings)
    state, renderer = host.state, Renderer(TWO, **settings)
    x = np.tile(0.1 * np.sin(np.arange(480, dtype=np.float32)), (2, 1)).astype(np.float32)  # what the host plays
    for _ in range(20):
        np.testing.assert_allclose(host.process(frames=480), renderer.process(x), atol=1e-5)
    assert renderer.most_reduction_db > 20
    plain = {"Gain": renderer.gain_db, "Reduction": renderer.most_reduction_db, "Peak": renderer.peak_dbfs, "Clip": 0}
    expected = {
        name: (value - ROWS[name].min_value) / (ROWS[name].max_value - ROWS[name].min_value)
        for name, value in plain.items()
    }
    peak = host.ids["Peak"]
    deadline = time.monotonic() + 10
    while host.told.get(peak) != pytest.approx(expected["Peak"], abs=1e-5) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert host.told[peak] == pytest.approx(expected["Peak"], abs=1e-5)
    assert {name: host.get(host.ids[name]) for name in expected} == pytest.approx(expected, abs=1e-5)
    host.set(peak, 0.25)
    assert host.get(peak) == pytest.approx(expected["Peak"], abs=1e-5)
    assert host.state == state


@pytest.mark.parametrize("text", ["nan", "nan1", "inf 1", "-inf 2", "1e999", "-1e999", ""])
def test_no_text_of_a_user_gives_a_value_out_of_range(plugin, text):
    value = plugin.parameters["amount"].get_raw_value_for_text(text)
    assert 0 <= value <= 1


@pytest.mark.parametrize("sample_rate", [float("nan"), float("inf"), -48_000.0, 0.0, 1e-300, 1e300])
def test_odd_sample_rates_play_and_keep_the_state(host, sample_rate):
    load(host, TWO, amount=80)
    state = host.state
    host.activate(sample_rate, 512)
    assert np.isfinite(host.process(frames=512)).all()
    assert host.state == state
    host.activate(48_000, 512)
    assert np.abs(host.process(frames=512)).max() > 1e-3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_engine_keeps_or_clamps_what_is_no_number(value):
    engine = _core.Engine(48_000)
    for row in WRITABLE:
        engine.set_param(row.id, value)
        expected = row.default_value if np.isnan(value) else np.clip(value, row.min_value, row.max_value)
        assert engine.param(row.id) == expected


def test_program_follows_the_slot(host):
    load(host, ONE, b=OWN)
    assert program_name(host) == ONE["name"]
    host.set(host.ids["Slot"], 1)
    assert program_name(host) == "Custom"
    assert host.told[PROGRAM] == host.get(PROGRAM)
    host.process({host.ids["Slot"]: 0.0}, playing=True)
    assert program_name(host) == ONE["name"]


def test_program_follows_the_slot_in_hosts_that_do_not_read_back(plugin):
    plugin.preset_data = vst3.vstpreset(plugin_state(ONE, b=OWN))
    plugin.slot = "B"
    assert plugin.preset == "Custom"
    plugin.slot = "A"
    assert plugin.preset == ONE["name"]


@pytest.mark.parametrize("b", [TWO, OWN], ids=["factory", "own"])
@pytest.mark.parametrize("order", list(itertools.permutations(["slot", "program", "queue"])))
def test_program_of_before_a_slot_change_changes_nothing(host, b, order):
    load(host, ONE, b=b)
    seen, before = host.get(PROGRAM), state_of(host)
    for what in order * 2:
        if what == "slot":
            host.set(host.ids["Slot"], 1)
        elif what == "program":
            host.set(PROGRAM, seen)
        else:
            host.process([(PROGRAM, seen), (host.ids["Slot"], 1.0)], playing=True)
    after = state_of(host)
    assert [after[s].to_json() for s in "ab"] == [before[s].to_json() for s in "ab"]
    assert after["parameters"] == before["parameters"] | {"slot": 1}


@pytest.mark.parametrize("slot", first_fast(["A", "B"]))
@pytest.mark.parametrize("b", [TWO, OWN], ids=["factory", "own"])
@pytest.mark.parametrize("order", list(itertools.permutations(["slot", "program", "state"])))
def test_every_order_of_slot_program_and_state_restores_what_was_there(host, small_bundle, b, slot, order):
    load(host, THREE, b=b, slot=slot, amount=70)
    saved = {"state": host.state, "slot": host.get(host.ids["Slot"]), "program": host.get(PROGRAM)}
    other = RawVst3(small_bundle)
    for target in (other, host):  # a new instance, and one where the other slot has been chosen since
        if target is host:
            host.set(host.ids["Slot"], 1 - saved["slot"])
        for what in order:
            if what == "state":
                target.state = saved["state"]
            else:
                target.set(PROGRAM if what == "program" else target.ids["Slot"], saved[what])
        assert target.state == saved["state"]
        assert target.get(PROGRAM) == saved["program"]
    other.close()


def test_session_that_was_saved_with_the_other_slots_program_keeps_both(host):
    load(host, ONE, b=OWN, slot="B")
    before = host.state
    host.set(PROGRAM, 0.0)  # the smart speaker of slot A
    assert host.state == before
    assert program_name(host) == "Custom"


def test_chosen_program_goes_into_the_active_slot_of_a_new_instance_and_of_a_session(host):
    two, three = load_preset(TWO), load_preset(THREE)
    last = host.rows[PROGRAM].step_count
    names = [host.text(PROGRAM, i / last) for i in range(last + 1)]
    host.set(PROGRAM, names.index(two.name) / last)
    assert state_of(host)["a"].to_json() == two.to_json()
    load(host, ONE, b=OWN, slot="B", amount=5)
    host.set(PROGRAM, names.index(three.name) / last)
    state = state_of(host)
    assert (state["a"].name, state["b"].to_json()) == (ONE["name"], three.to_json())
    assert state["parameters"]["amount"] == three.parameters.get("amount", 100)
    assert program_name(host) == three.name
