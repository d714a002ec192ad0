"""What a session keeps: both slots, all parameters; and what it does with a state that is broken."""

import json
import threading

import numpy as np
import pedalboard
import pytest

from forestage import PARAMS, Renderer, _core, load_preset, vst3
from forestage.export import export_vstpreset
from forestage.host import plugin_path, plugin_state
from headphone_eqs import parametric, wav_eq
from make_preset import SMALL
from plugin_sound import assert_null, noise

ONE, TWO, THREE = (SMALL[name] for name in ("smart-speaker", "laptop", "tv"))
CHANGED = {
    "monitor": "Headphones Plain", "slot": "B", "amount": 37.5, "stage_width_deg": 41, "center_level_db": -3.25,
    "upmix": 12, "solo": "Left", "input_trim_db": 6, "output_trim_db": -11, "level_match": False,
    "safe_headroom": False,
}  # fmt: skip


@pytest.fixture
def new_plugin(small_bundle):
    """One that nobody has seen a program of."""

    def load(preset, b=None, **settings):
        plugin = pedalboard.VST3Plugin(str(small_bundle))
        load_state(plugin, plugin_state(preset, b, **settings))
        return plugin

    return load


def state_of(plugin: pedalboard.VST3Plugin) -> dict:
    return _core.parse_state(state_text(plugin))


def state_text(plugin: pedalboard.VST3Plugin) -> bytes:
    return _core.unpack_state(vst3.state_of(plugin.preset_data)).encode()


def load_state(plugin: pedalboard.VST3Plugin, text: str) -> None:
    plugin.preset_data = vst3.vstpreset(text)


def play(plugin: pedalboard.VST3Plugin) -> np.ndarray:
    return plugin.process(noise(), 48_000)


def core_sound(*args, **kwargs) -> np.ndarray:
    renderer = Renderer(*args, **kwargs)
    latency = renderer.latency_frames
    return renderer.process(np.pad(noise(), ((0, 0), (0, latency))))[:, latency:]


def test_exported_file_brings_both_slots_into_a_host(lend, tmp_path):
    path = export_vstpreset("smart-speaker", tmp_path / "both.vstpreset", b="laptop")
    plugin = lend("headphones")
    plugin.load_preset(str(path))
    for slot in ("A", "B"):
        plugin.slot = slot
        plugin.reset()
        assert_null(play(plugin), core_sound("smart-speaker", "laptop", slot=slot))


def test_first_start_plays_the_smart_speaker_with_the_laptop_in_b():
    plugin = pedalboard.VST3Plugin(str(plugin_path()))
    state = state_of(plugin)
    assert state["a"].to_json() == load_preset("smart-speaker").to_json()
    assert state["b"].to_json() == load_preset("laptop").to_json()
    assert plugin.preset == load_preset("smart-speaker").name
    assert_null(play(plugin), core_sound("smart-speaker", b="laptop"))


def test_state_keeps_every_parameter_and_both_presets(lend_small):
    plugin = lend_small(TWO, b=ONE, **CHANGED)
    expected = _core.parse_state(plugin_state(TWO, b=ONE, **CHANGED))
    state = state_of(plugin)
    assert state["parameters"] == pytest.approx(expected["parameters"], abs=1e-5)
    assert state["a"].to_json() == expected["a"].to_json()
    assert state["b"].to_json() == expected["b"].to_json()


def test_state_goes_round_through_another_instance(lend_small):
    first, second = lend_small(TWO, b=ONE, **CHANGED), lend_small(ONE)
    second.raw_state = first.raw_state
    assert second.raw_state == first.raw_state
    for row in PARAMS:
        if not row.is_read_only:
            assert second.parameters[row.id].raw_value == first.parameters[row.id].raw_value, row.id
    assert_null(play(second), play(first))


def test_values_set_by_the_host_are_in_the_state_after_one_block(lend_small):
    plugin = lend_small(ONE)
    kept = [row for row in PARAMS if row.is_kept]
    for row in kept:
        plugin.parameters[row.id].raw_value = 1.0
    play(plugin)
    parameters = state_of(plugin)["parameters"]
    assert parameters == {row.id: row.max_value for row in kept} | {
        "level_match": 1,
        "safe_headroom": 1,
    }  # where On was


def test_an_empty_slot_stays_empty_and_plays_the_other(lend_small):
    plugin = lend_small(TWO, slot="B")
    assert state_of(plugin)["b"] is None
    assert_null(play(plugin), core_sound(TWO))


def test_slot_b_sounds_as_in_the_core(lend_small):
    plugin = lend_small(ONE, b=TWO, slot="B")
    assert_null(play(plugin), core_sound(ONE, b=TWO, slot="B"))


def broken_states() -> dict[str, str]:
    good = plugin_state(TWO, b=ONE, amount=10)
    return {
        "not JSON": "hello",
        "truncated": good[: len(good) // 2],
        "another JSON": '{"amount": 3}',
        "a version that is none": good.replace('"forestage_state": 1', '"forestage_state": "new"'),
        "deep nesting": "[" * 1_000_000,
    }


@pytest.mark.parametrize("what", broken_states())
def test_broken_state_changes_nothing(lend_small, what):
    plugin = lend_small(ONE, b=TWO, stage_width_deg=55)
    before, sound = plugin.raw_state, play(plugin)
    load_state(plugin, broken_states()[what])
    assert plugin.raw_state == before
    assert_null(play(plugin), sound)


@pytest.mark.parametrize("data", [b"", b"VST3", b"x" * 1000, b"VC2!    <?xml"])
def test_broken_container_changes_nothing(lend_small, data):
    plugin = lend_small(ONE, stage_width_deg=55)
    before, sound = plugin.raw_state, play(plugin)
    plugin.raw_state = data
    assert plugin.raw_state == before
    assert_null(play(plugin), sound)


def test_state_of_an_older_version_gets_defaults(lend_small):
    tree = json.loads(plugin_state(TWO, amount=10))
    del tree["parameters"]["upmix"], tree["parameters"]["output_trim_db"]
    plugin = lend_small(ONE, upmix=30, output_trim_db=-6)
    load_state(plugin, json.dumps(tree))
    parameters = state_of(plugin)["parameters"]
    assert (parameters["amount"], parameters["upmix"], parameters["output_trim_db"]) == (10, 100, 0)


def test_state_of_a_later_version_keeps_what_this_one_does_not_know(lend_small):
    tree = json.loads(plugin_state(TWO))
    tree["parameters"]["later_thing"] = 0.5
    plugin = lend_small(ONE)
    load_state(plugin, json.dumps(tree))
    assert state_of(plugin)["parameters"]["later_thing"] == 0.5


def test_session_keeps_the_headphone_equaliser(lend_small):
    first, second = lend_small(TWO, headphone_eq=wav_eq()), lend_small(ONE)
    assert state_of(lend_small(ONE))["headphone_eq"] is None
    second.raw_state = first.raw_state
    assert state_of(second)["headphone_eq"] == wav_eq()
    assert_null(play(second), core_sound(TWO, headphone_eq=wav_eq()))


def test_a_session_without_an_equaliser_takes_it_away(lend_small):
    plugin = lend_small(TWO, headphone_eq=parametric())
    plugin.raw_state = lend_small(TWO).raw_state
    assert state_of(plugin)["headphone_eq"] is None
    assert_null(play(plugin), core_sound(TWO))


def test_programs_and_exported_presets_leave_the_headphone_equaliser(new_plugin):
    plugin = new_plugin(TWO, headphone_eq=parametric())
    plugin.preset = ONE["name"]
    assert state_of(plugin)["headphone_eq"] == parametric()
    assert_null(play(plugin), core_sound(ONE, headphone_eq=parametric()))
    load_state(plugin, plugin_state(THREE))
    assert state_of(plugin)["headphone_eq"] == parametric()
    assert_null(play(plugin), core_sound(THREE, headphone_eq=parametric()))


# -- sessions of newer versions ---------------------------------------------------------------------------------------

MORE = "Session Holds More Than This Version Reads: Kept Whole"


def tree_of(plugin: pedalboard.VST3Plugin) -> dict:
    return json.loads(state_text(plugin))


def later(**keys) -> dict:
    """A session with a user's own preset in A, of which some parts are of a later version."""
    own = TWO | {"text": "mine"}
    tree = json.loads(plugin_state(own, b=ONE, amount=10, headphone_eq=parametric()))
    return tree | {key: value for key, value in keys.items() if key != "a"} | slots_of(tree, keys.get("a", {}))


def slots_of(tree: dict, a: dict) -> dict:
    return {"slots": tree["slots"] | {"a": tree["slots"]["a"] | a}}


LATER = {
    "a later state": later(forestage_state=2, layers=[1, 2, {"x": 0.1}]),
    "a later preset": later(a={"schema": 3, "fields": [1, 2]}),
    "a later key of a preset": later(a={"colour": "red"}),
    "a later equaliser": later(headphone_eq={"name": "x", "lattice": [1]}),
    "a preset that this version refuses": later(a={"drivers": []}),
    "a parameter of another kind": later(parameters={"amount": {"from": 1, "to": 2}}),
}


@pytest.mark.parametrize("what", LATER)
def test_session_of_a_later_version_is_saved_as_it_came_and_the_status_says_so(lend_small, what):
    plugin = lend_small(ONE)
    load_state(plugin, json.dumps(LATER[what]))
    play(plugin)
    assert plugin.status == MORE
    assert tree_of(plugin) == LATER[what]
    again = lend_small(ONE)
    again.raw_state = plugin.raw_state
    assert tree_of(again) == LATER[what]


def test_of_a_later_session_all_plays_that_is_known(lend_small):
    sounds = {
        "a later state": core_sound(TWO, b=ONE, amount=10, headphone_eq=parametric()),
        "a later key of a preset": core_sound(TWO, b=ONE, amount=10, headphone_eq=parametric()),
        "a later preset": core_sound(ONE, amount=10, headphone_eq=parametric()),
        "a later equaliser": core_sound(TWO, b=ONE, amount=10),
    }
    for what, expected in sounds.items():
        plugin = lend_small(ONE)
        load_state(plugin, json.dumps(LATER[what]))
        assert_null(play(plugin), expected)


def test_session_without_a_preset_that_can_be_read_passes_stereo_through_and_keeps_both(lend_small):
    tree = later(a={"schema": 3})
    tree["slots"]["b"]["schema"] = 3
    plugin = lend_small(ONE)
    load_state(plugin, json.dumps(tree))
    assert_null(play(plugin), noise())
    assert plugin.status == MORE
    assert tree_of(plugin) == tree


def test_what_a_user_changes_in_a_later_session_is_all_that_changes(lend_small):
    plugin = lend_small(ONE)
    load_state(plugin, json.dumps(LATER["a later preset"]))
    plugin.upmix = 40
    play(plugin)
    tree = tree_of(plugin)
    assert tree["parameters"].pop("upmix") == pytest.approx(40, abs=1e-4)
    expected = LATER["a later preset"]
    assert tree == expected | {"parameters": {key: v for key, v in expected["parameters"].items() if key != "upmix"}}


def test_program_in_the_place_of_a_later_preset_sets_it_aside_and_the_status_is_right_again(new_plugin):
    plugin = new_plugin(ONE)
    load_state(plugin, json.dumps(LATER["a later preset"]))
    plugin.preset = THREE["name"]
    play(plugin)
    assert plugin.status == "OK"
    tree = tree_of(plugin)
    assert tree["slots"]["a"]["name"] == THREE["name"]
    assert tree["replaced"]["a"] == LATER["a later preset"]["slots"]["a"]


def test_a_session_of_this_version_says_nothing_after_a_later_one(lend_small):
    plugin = lend_small(ONE)
    load_state(plugin, json.dumps(LATER["a later state"]))
    load_state(plugin, plugin_state(TWO))
    play(plugin)
    assert plugin.status == "OK"
    assert "layers" not in tree_of(plugin)


def test_programs_are_the_factory_presets_and_one_for_any_other(lend):
    names = [load_preset(name).name for name in ("smart-speaker", "laptop")]
    programs = lend("headphones").parameters["preset"].valid_values
    assert programs[:2] == names
    assert programs[-1] == "Custom"
    assert len(set(programs)) == len(programs)


def test_program_loads_a_preset_with_its_parameters(new_plugin):
    plugin = new_plugin(ONE, stage_width_deg=77, amount=5)
    plugin.preset = TWO["name"]
    assert_null(play(plugin), core_sound(TWO))
    state = state_of(plugin)
    for row in PARAMS:
        if row.in_preset:
            expected = load_preset(TWO).parameters.get(row.id, row.default_value)
            assert state["parameters"][row.id] == pytest.approx(expected, abs=1e-5), row.id


@pytest.mark.parametrize("name", ["smart-speaker", "laptop"])
def test_state_with_a_factory_preset_shows_its_program(lend, name):
    plugin = lend(name)
    assert plugin.preset == load_preset(name).name
    play(plugin)
    assert plugin.preset == load_preset(name).name


def test_host_sees_the_parameters_of_a_new_program_at_once(new_plugin):
    plugin = new_plugin(ONE, amount=5)
    plugin.preset = TWO["name"]
    assert plugin.parameters["amount"].raw_value == pytest.approx(
        load_preset(TWO).parameters.get("amount", 100) / 100, abs=1e-6
    )


def test_program_goes_into_the_active_slot(new_plugin):
    plugin = new_plugin(ONE, b=ONE, slot="B")
    plugin.preset = TWO["name"]
    play(plugin)
    state = state_of(plugin)
    assert state["a"].to_json() == load_preset(ONE).to_json()
    assert state["b"].to_json() == load_preset(TWO).to_json()


def test_preset_of_the_users_own_is_not_taken_for_a_program(new_plugin):
    own = TWO | {"text": "mine"}
    plugin = new_plugin(own)
    assert plugin.preset == "Custom"
    before = plugin.raw_state
    plugin.preset = "Custom"
    assert plugin.raw_state == before


def test_programs_slots_and_states_change_while_sound_runs(new_plugin):
    plugin = new_plugin(ONE, b=TWO)
    x = np.tile(np.sin(2 * np.pi * 440 * np.arange(4800) / 48_000) * 0.1, (2, 1)).astype(np.float32)
    peak = np.abs(plugin.process(np.tile(x, (1, 5)), 48_000, reset=False, buffer_size=128)).max()
    kept, steps = plugin.raw_state, []
    stop, played = threading.Event(), threading.Semaphore(0)

    def run_audio() -> None:
        while not stop.is_set():
            y = plugin.process(x, 48_000, reset=False, buffer_size=128)
            steps.append(np.abs(np.diff(y)).max())
            played.release()

    audio = threading.Thread(target=run_audio)
    audio.start()
    try:
        for turn in range(60):
            plugin.preset = (ONE, TWO)[turn % 2]["name"]
            plugin.parameters["slot"].raw_value = float(turn % 3 == 0)
            if turn % 5 == 0:
                plugin.raw_state = kept
            played.acquire(timeout=10)
            played.acquire(timeout=10)  # the change falls within this one, or before
    finally:
        stop.set()
        audio.join()
    assert len(steps) >= 120
    assert np.isfinite(steps).all()
    # a 440 Hz sine moves by 0.058 of its peak per frame; presets and slots differ in level, and clicks are far steeper
    assert max(steps) <= 4 * 0.058 * peak


# -- size -------------------------------------------------------------------------------------------------------------


def test_sessions_from_before_states_were_packed_open(new_plugin):
    """Hosts hold the text itself there."""
    text = plugin_state(TWO, b=ONE, **CHANGED).encode()
    whole = vst3.vstpreset("")
    size = int.from_bytes(whole[-8:], "little")
    head = whole[:40] + (48 + len(text)).to_bytes(8, "little")
    plugin = new_plugin(ONE)
    plugin.preset_data = head + text + whole[48 + size : -8] + len(text).to_bytes(8, "little")
    assert state_of(plugin) == _core.parse_state(text) | {"headphone_eq": None}


def test_what_hosts_keep_is_packed_and_its_parameters_are_those_of_now(new_plugin):
    plugin = new_plugin(ONE, b=TWO)
    for amount in (30, 60):  # the second time only they are new
        plugin.amount = amount
        stored = vst3.state_of(plugin.preset_data)
        assert len(stored) < 0.75 * len(_core.unpack_state(stored))
        assert _core.parse_state(stored)["parameters"]["amount"] == pytest.approx(amount)
    assert _core.unpack_state(stored) == _core.unpack_state(vst3.state_of(plugin.preset_data))
    read = _core.parse_state(stored)
    assert (read["a"].name, read["b"].name, read["notes"]) == (ONE["name"], TWO["name"], [])
