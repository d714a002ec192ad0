"""Plugin state: complete, all or nothing, and readable by older and newer versions."""

import json

import pytest

from forestage import _core
from make_preset import make_preset
from places import GOLDEN

DEFAULTS = {row.id: row.default_value for row in _core.PARAMS if row.kind != "status"}


def preset(name: str = "Tiny"):
    return _core.parse_preset(json.dumps(make_preset() | {"name": name}))


def state(**changes) -> dict:
    return json.loads(_core.write_state(preset("first"), preset("second"), DEFAULTS)) | changes


def message_of(value) -> str:
    with pytest.raises(_core.PresetError) as caught:
        _core.parse_state(value if isinstance(value, (str, bytes)) else json.dumps(value))
    return str(caught.value)


def parameters_of(parameters: dict) -> dict:
    return _core.parse_state(json.dumps(state(parameters=parameters)))["parameters"]


def test_state_holds_both_presets_whole():
    first, second = preset("first"), preset("second")
    read = _core.parse_state(_core.write_state(first, second, DEFAULTS))
    assert read["a"].to_json() == first.to_json()
    assert read["b"].to_json() == second.to_json()


def test_state_holds_all_parameters():
    parameters = DEFAULTS | {"monitor": 3, "slot": 1, "amount": 12.25, "output_trim_db": -3.5}
    assert _core.parse_state(_core.write_state(preset(), None, parameters))["parameters"] == parameters


@pytest.mark.parametrize("slots", ["", "a", "b", "ab"])
def test_empty_slots_stay_empty(slots):
    a, b = (preset(slot) if slot in slots else None for slot in "ab")
    read = _core.parse_state(_core.write_state(a, b, {}))
    assert (read["a"] is not None, read["b"] is not None) == ("a" in slots, "b" in slots)


def test_written_state_is_stable():
    text = _core.write_state(preset("first"), preset("second"), DEFAULTS)
    read = _core.parse_state(text)
    assert _core.write_state(read["a"], read["b"], read["parameters"]) == text


def test_parameter_that_an_old_session_lacks_takes_its_default():
    assert parameters_of({"amount": 50}) == DEFAULTS | {"amount": 50}


def test_parameter_of_a_newer_version_survives_a_round_trip():
    read = _core.parse_state(json.dumps(state(parameters={"later_parameter": 1})))
    again = _core.parse_state(_core.write_state(read["a"], read["b"], read["parameters"]))
    assert again["parameters"] == DEFAULTS | {"later_parameter": 1}


@pytest.mark.parametrize(
    ("id_", "value", "taken"),
    [
        ("stage_width_deg", 120, 90),
        ("center_level_db", -1e300, -12),
        ("monitor", 9, 1),
        ("solo", 1.5, 0),
        ("level_match", -1, 1),
    ],
)
def test_value_out_of_range_is_brought_into_range(id_, value, taken):
    assert parameters_of({id_: value})[id_] == taken


def test_status_is_not_part_of_the_state():
    assert parameters_of({"status": 2}) == DEFAULTS


def test_key_of_a_newer_version_is_skipped():
    assert _core.parse_state(json.dumps(state(editor={"width": 800})))["a"].name == "first"


def test_damage_in_a_slot_is_named_with_its_place():
    damaged = state()
    damaged["slots"]["b"]["filters"][3]["delay_ms"] = 1
    assert '/slots/b/filters/3: unknown key "delay_ms"; did you mean "delay_frames"?' in message_of(damaged)


def test_preset_from_the_future_is_named_with_its_place():
    newer = state()
    newer["slots"]["a"]["schema"] = 2
    assert "/slots/a/schema: is 2; this version reads up to 1: update Forestage" in message_of(newer)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "not JSON at byte 0"),
        (b"\x00\x01\xfe\xff" * 100, "not JSON at byte 1"),
        ({}, 'top level: no key "forestage_state"; it is required'),
        ([], "top level: is an array of 0; must be an object"),
        ({"forestage_state": 2}, "/forestage_state: is 2; this version reads up to 1: update Forestage"),
        ({"forestage_state": "1"}, '/forestage_state: is "1"; must be a whole number'),
        ({"forestage_state": 1}, 'top level: no key "parameters"'),
        ({"forestage_state": 1, "parameters": {}}, 'top level: no key "slots"'),
        ({"forestage_state": 1, "parameters": {"amount": "1"}, "slots": {}}, '/parameters/amount: is "1"; must be a'),
        ({"forestage_state": 1, "parameters": {}, "slots": {"a": None}}, "/slots/a: is null; must be an object"),
        ("[" * 100_000, "more than 34 levels of nesting"),
    ],
)
def test_what_is_no_state_is_refused(value, message):
    assert message in message_of(value)


def test_deepest_preset_fits_into_a_state():
    design: dict = {}
    for _ in range(30):
        design = {"deeper": design}
    deep = _core.parse_preset(json.dumps(make_preset() | {"design": design}))
    assert _core.parse_state(_core.write_state(deep, deep, {}))["b"].to_json() == deep.to_json()


def test_value_that_json_cannot_hold_is_refused_on_writing():
    with pytest.raises(_core.PresetError, match="/parameters/amount: is null; must be a number"):
        _core.write_state(preset(), None, {"amount": float("nan")})


def test_state_of_version_1_is_read():
    """The file is what `write_state` gave for version 1. It is never made again: sessions must open for ever."""
    read = _core.parse_state((GOLDEN / "state_1.json").read_bytes())
    assert (read["a"], read["b"].name) == (None, "Tiny")
    assert read["b"].drivers == ["driver 0", "driver 1"]
    assert read["parameters"] == DEFAULTS | {"amount": 80, "slot": 1, "output_trim_db": -3.5}
