"""Plugin state: complete, readable by older versions as far as they know it, and never poorer for having been there."""

import base64
import contextlib
import json
import re

import numpy as np
import pytest

import forestage
from forestage import _core
from forestage.params import text_value
from headphone_eqs import parametric
from kinds import first_fast
from make_preset import make_preset
from places import GOLDEN, ROOT

DEFAULTS = {row.id: row.default_value for row in _core.PARAMS if row.is_kept}


def preset(name: str = "Tiny"):
    return _core.parse_preset(json.dumps(make_preset() | {"name": name}))


def state(**changes) -> dict:
    return json.loads(_core.write_state(preset("first"), preset("second"), DEFAULTS)) | changes


def message_of(value) -> str:
    with pytest.raises(_core.PresetError) as caught:
        _core.parse_state(value if isinstance(value, (str, bytes)) else json.dumps(value))
    return str(caught.value)


def read_of(tree: dict) -> dict:
    return _core.parse_state(json.dumps(tree))


def saved_again(tree: dict, **changes) -> dict:
    """What a plugin makes of a state that it opened, when it is saved after some changes."""
    read = read_of(tree)
    read = read | changes | {"parameters": read["parameters"] | changes.get("parameters", {})}
    eq = read.get("headphone_eq")
    return json.loads(_core.write_state(read["a"], read["b"], read["parameters"], eq, kept=read["kept"]))


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


def test_state_of_this_version_keeps_nothing_aside():
    read = read_of(state())
    assert (read["kept"], read["notes"]) == ("", [])


def later_preset(**keys) -> dict:
    return make_preset() | keys


LATER = {
    "a later state": (
        state(forestage_state=2, layers=[1, 2]),
        "/forestage_state: is 2; this version reads up to 1: up",
    ),
    "a later preset": (
        state(slots={"a": later_preset(schema=3, new={"x": [1.25]}), "b": make_preset()}),
        "/slots/a/schema: is 3; this version reads up to 2: update Forestage",
    ),
    "a later key of a preset": (
        state(slots={"a": later_preset(colour="red"), "b": make_preset()}),
        '/slots/a: unknown key "colour"',
    ),
    "a later key within a preset": (
        state(slots={"a": make_preset(), "b": make_preset() | {"ears": make_preset()["ears"] | {"torso": True}}}),
        '/slots/b/ears: unknown key "torso"',
    ),
    "a later parameter of a preset": (
        state(slots={"b": later_preset(parameters={"later_db": 1, "room": 1})}),
        '/slots/b/parameters: unknown key "later_db"',
    ),
    "a damaged preset": (
        state(slots={"a": make_preset(), "b": later_preset(drivers=[])}),
        "/slots/b/drivers: has 0 items; must have from 2 to 16",
    ),
    "a later equaliser": (state(headphone_eq={"name": "x", "lattice": [1]}), '/headphone_eq: unknown key "lattice"'),
    "a text for a number": (state(parameters={"amount": "loud"}), '/parameters/amount: is "loud"; must be a number'),
    "other parameters": (state(parameters=[1, 2]), "/parameters: is an array of 2; must be an object"),
    "other slots": (state(slots=[make_preset()]), "/slots: is an array of 1; must be an object"),
    "no slots": ({"forestage_state": 1, "parameters": DEFAULTS}, 'top level: no key "slots"; it is required'),
    "no parameters": ({"forestage_state": 1, "slots": {}}, 'top level: no key "parameters"; it is required'),
    "no slot": (state(slots={"a": None}), "/slots/a: is null; must be an object"),
}
SILENT = {
    "a later part": state(editor={"width": 800}),
    "a third slot": state(slots={"a": make_preset(), "c": {"schema": 9}}),
    "a text among parameters": state(parameters=DEFAULTS | {"later_text": "HD 650", "later": [1]}),
    "a wider range": state(parameters=DEFAULTS | {"amount": 150, "monitor": 7}),
}


@pytest.mark.parametrize("what", LATER)
def test_what_cannot_be_read_or_is_not_known_is_noted(what):
    tree, note = LATER[what]
    assert any(each.startswith(note) for each in read_of(tree)["notes"]), read_of(tree)["notes"]


@pytest.mark.parametrize("what", SILENT)
def test_what_old_readers_need_not_know_is_left_without_a_word(what):
    assert read_of(SILENT[what])["notes"] == []


@pytest.mark.parametrize("tree", [*(tree for tree, _ in LATER.values()), *SILENT.values()])
def test_state_that_holds_more_than_is_read_comes_back_whole(tree):
    assert saved_again(tree) == tree


@pytest.mark.parametrize("what", ["a later state", "a later key of a preset", "a later equaliser"])
def test_of_a_later_state_all_is_read_that_is_known(what):
    read = read_of(LATER[what][0])
    assert read["a"].drivers == read["b"].drivers == ["driver 0", "driver 1", "driver 2"]
    assert read["parameters"] == DEFAULTS


def test_a_preset_that_cannot_be_read_leaves_the_other_one_and_the_parameters():
    tree = LATER["a later preset"][0] | {"parameters": DEFAULTS | {"amount": 20}}
    read = read_of(tree)
    assert (read["a"], read["b"].name) == (None, "Tiny")
    assert read["parameters"]["amount"] == 20


def test_only_what_was_changed_is_written_into_what_was_kept():
    tree = state(parameters=DEFAULTS | {"amount": 150, "upmix": 33, "later": "x"}, editor={"width": 800})
    again = saved_again(tree, parameters={"upmix": 40.5, "amount": 100.0, "stage_width_deg": 30.0002})
    assert again == tree | {"parameters": tree["parameters"] | {"upmix": 40.5}}


def test_preset_that_takes_the_place_of_one_that_cannot_be_read_sets_it_aside():
    tree = LATER["a later preset"][0]
    again = saved_again(tree, a=preset("chosen"))
    assert again["slots"]["a"] == json.loads(preset("chosen").to_json())
    assert again["replaced"] == {"a": tree["slots"]["a"]}
    assert read_of(again)["notes"] == []
    assert saved_again(again, a=preset("chosen anew"))["replaced"] == again["replaced"]


def test_equaliser_that_takes_the_place_of_a_later_one_is_written():
    again = saved_again(LATER["a later equaliser"][0], headphone_eq=parametric())
    assert read_of(again)["headphone_eq"] == parametric()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "not JSON at byte 0"),
        (b"\x00\x01\xfe\xff" * 100, "not JSON at byte 1"),
        ({}, 'top level: no key "forestage_state"; it is required'),
        ([], "top level: is an array of 0; must be an object"),
        ({"forestage_state": 1.5}, "/forestage_state: is 1.5; must be a whole number"),
        ({"forestage_state": "1"}, '/forestage_state: is "1"; must be a whole number'),
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


# -- packed -----------------------------------------------------------------------------------------------------------


TAPS = base64.b64encode(np.random.default_rng(0).standard_normal(200).astype(np.float32)).decode()
HALVES = base64.b64encode(np.random.default_rng(0).standard_normal(200).astype(np.float16)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        f'["{TAPS}", "f16:{HALVES}", "{TAPS}"]',
        f'["f16p:{HALVES}", "f16p:{TAPS[:100]}", "f16p:{HALVES[:-4]}"]',
        f'"{TAPS[:-1]}"',  # not a multiple of four
        f'"{TAPS[:99]}B=="',  # bits that belong to no byte
        f'"{"f" * 64}", "{"A" * 66}="',
        f'"\0{TAPS}"',
        f'"é {TAPS}{HALVES}"',
    ],
)
def test_packed_text_comes_out_as_it_was(text):
    assert _core.unpack_state(_core.pack_state(text)) == text


def test_text_that_is_not_packed_stays():
    assert _core.unpack_state(b'{"forestage_state": 1}') == '{"forestage_state": 1}'


def test_two_factory_presets_with_rooms_take_400_kb():
    """Half of their text; what both slots hold is there once."""
    a, b = (forestage.load_preset(name) for name in ("smart-speaker", "laptop"))
    text = _core.write_state(a, b, DEFAULTS)
    assert len(_core.pack_state(text)) < 400_000
    assert len(_core.pack_state(_core.write_state(a, a, DEFAULTS))) < 1.05 * len(
        _core.pack_state(_core.write_state(a, None, DEFAULTS))
    )


@pytest.mark.parametrize("step", first_fast([8, 1]))
def test_damaged_packed_states_are_refused(step):
    packed = _core.pack_state(_core.write_state(preset("first"), preset("second"), DEFAULTS))
    for size in range(len("forestage-packed 1"), len(packed), step):
        with pytest.raises(_core.PresetError, match="damaged|newer"):
            _core.parse_state(packed[:size])
    random = np.random.default_rng(1)
    for _ in range(500 // step):
        bytes_ = bytearray(packed)
        bytes_[random.integers(19, len(packed))] ^= 1 << random.integers(8)
        with contextlib.suppress(_core.PresetError):  # lowest bytes of taps have no check of their own
            _core.parse_state(bytes(bytes_))


def test_packed_states_of_a_newer_version_are_told():
    with pytest.raises(_core.PresetError, match="newer version"):
        _core.parse_state(b"forestage-packed 4\n")


def test_packed_presets_are_parts_of_a_state_that_reads_like_its_text():
    a, b = preset("first"), preset("second")
    values = DEFAULTS | {"amount": 12.5}
    for slots in ((a, b), (a, None), (None, b), (None, None), (a, a)):
        text = _core.write_state(*slots, values, parametric())
        packed = _core.packed_state(*slots, values, parametric())
        assert _core.parse_state(packed) == _core.parse_state(text)
        assert json.loads(_core.unpack_state(packed)) == json.loads(text)


def test_preset_in_both_slots_is_packed_once():
    a = forestage.load_preset("laptop")
    one, two = (_core.packed_state(a, b, DEFAULTS) for b in (None, a))
    assert len(two) < 1.001 * len(one)


def test_what_is_wrong_in_a_packed_preset_is_told_with_its_place():
    packed = bytearray(_core.packed_state(preset("first"), None, DEFAULTS))
    broken = bytes(packed).replace(b"forestage-packed 3\n", b"", 1)
    text = _core.unpack_state(bytes(packed)).replace('"schema": ', '"schema": 9')
    notes = _core.parse_state(text)["notes"]
    assert [note.partition(":")[0] for note in notes] == ["/slots/a/schema"]
    with pytest.raises(_core.PresetError, match="not JSON"):
        _core.parse_state(broken)


def test_packed_state_of_a_later_version_keeps_its_whole_text():
    """A part with more in it than is read: all of it is kept, as text, and nothing of it is shared."""
    later = json.loads(_core.write_state(preset("first"), None, DEFAULTS)) | {"later": 1}
    read = _core.parse_state(_core.pack_state(json.dumps(later)))
    assert json.loads(read["kept"]) == later
    assert read["a"] == preset("first")


def test_states_that_would_fill_the_memory_are_refused():
    packed = bytearray(_core.pack_state("{}"))
    packed[23:27] = (0xFFFFFFFF).to_bytes(4, "little")
    with pytest.raises(_core.PresetError, match="at most"):
        _core.parse_state(bytes(packed))


# -- releases ---------------------------------------------------------------------------------------------------------

RELEASES = re.findall(r"^## ([0-9.]+|Unreleased)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("release", RELEASES)
def test_state_of_every_release_opens_whole(release):
    """The files are what each release wrote, and are never made again: sessions must open for ever."""
    read = _core.parse_state((GOLDEN / "states" / f"{release.lower()}.json").read_bytes())
    assert (read["notes"], read["kept"]) == ([], "")
    assert (read["a"], read["b"].name) == (None, "Tiny")
    assert read["b"].drivers == ["driver 0", "driver 1"]
    headroom = 1.0 if release == "0.1.0" else DEFAULTS["safe_headroom"]  # it was On, which is what Strict does
    changed = {"amount": 80, "slot": 1, "output_trim_db": -3.5, "safe_headroom": headroom}
    assert read["parameters"] == DEFAULTS | changed
    if release != "0.1.0":
        assert read["b"] == _core.parse_preset(json.dumps(make_preset(drivers=2)))
        assert read["headphone_eq"] == parametric()


def test_packed_state_of_every_release_opens_whole():
    """Hosts hold packed ones since there are any; what is in it is what the text of the same release says."""
    for path in (GOLDEN / "states").glob("*.state"):
        text = path.with_name(f"{path.stem.split('-')[0]}.json").read_text()
        packed, whole = json.loads(_core.unpack_state(path.read_bytes())), json.loads(text)
        packed["parameters"] = whole["parameters"] | packed["parameters"]  # some have come since the first packing
        assert packed == whole
        assert _core.parse_state(path.read_bytes()) == _core.parse_state(text)


def test_state_is_written_as_the_next_release_will():
    """What changes here needs a golden file of its own, or, if older versions cannot read it, a version and a step."""
    tiny = _core.parse_preset(json.dumps(make_preset(drivers=2)))
    parameters = DEFAULTS | {"amount": 80, "slot": 1, "output_trim_db": -3.5}
    golden = (GOLDEN / "states/unreleased.json").read_text()
    _core.parse_state(golden)  # FLAC is written as it was last read; another libFLAC would encode other bytes
    assert _core.write_state(None, tiny, parameters, parametric()) == golden


@pytest.mark.parametrize(("stored", "means"), [({"level_match": 0}, "Off"), ({"level_match": 1}, "Calibrated")])
def test_level_match_of_old_states_keeps_its_meaning(stored, means):
    """It was a toggle, too."""
    assert text_value("level_match", parameters_of(stored)["level_match"]) == means


def test_blind_trials_are_read_and_what_is_wrong_with_them_is_told():
    record = {
        "method": "ABX",
        "pair": "Slots A And B",
        "a": "one",
        "b": "two",
        "planned": 3,
        "x": "AB",
        "answers": "XX",
    }
    read = _core.parse_state(json.dumps(state(blind=[record, record | {"method": "Preference"}])))
    assert (read["notes"], read["kept"]) == ([], "")
    (a, b, run), (_, _, preference) = read["blind"]
    assert (a, b, run.trials, run.hits, run.planned) == ("one", "two", [("A", "X"), ("B", "X")], 1, 3)
    assert (run.method, preference.method) == ("ABX", "Preference")
    for wrong, note in [
        ({"method": "Guess"}, "/blind/0/method: must be one of the texts of blind"),
        ({"x": "AC"}, '/blind/0/x: has "C"; must have A and B only'),
        ({"answers": "XXX"}, "/blind/0/answers: must be as long as x"),
        ({"planned": 1}, "/blind/0/answers: must be as long as x, and no longer than planned"),
        ({"planned": 101}, "/blind/0/planned: must be a whole number from 1 to 100"),
        ({"a": 1}, "/blind/0/a: is 1; must be a text"),
    ]:
        read = _core.parse_state(json.dumps(state(blind=[record | wrong])))
        assert note in read["notes"][0]
        assert json.loads(read["kept"])["blind"] == [record | wrong]


@pytest.mark.parametrize(
    ("stored", "means"), [({"safe_headroom": 0}, "Off"), ({"safe_headroom": 1}, "Strict"), ({}, "Programme")]
)
def test_headroom_of_old_states_keeps_its_meaning(stored, means):
    """It was a toggle: off, and on for the worst of all inputs. Who stored nothing has the default of today."""
    assert text_value("safe_headroom", parameters_of(stored)["safe_headroom"]) == means
