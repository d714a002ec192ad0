"""The parameter table is an interface for sessions: ids and order never change, new rows come at the end."""

import numpy as np
import pytest

from forestage import PARAMS
from forestage.params import BY_ID, raw_value, text_value

FROZEN_IDS = [
    "bypass", "monitor", "slot", "amount", "stage_width_deg", "stage_crosstalk", "cancellation", "center_focus",
    "center_level_db", "upmix", "solo", "input_trim_db", "output_trim_db", "level_match", "safe_headroom", "status",
    "upmix_quality", "room", "gain_db", "reduction_db", "peak_db", "clip", "center_presence", "match_gain_db", "blind",
    "blind_pair", "blind_trials", "blind_listen", "blind_answer", "blind_trial", "blind_hits", "blind_p",
]  # fmt: skip


def test_ids_and_order_are_frozen():
    assert [row.id for row in PARAMS][: len(FROZEN_IDS)] == FROZEN_IDS


@pytest.mark.parametrize("row", PARAMS, ids=lambda row: row.id)
def test_row_is_consistent(row):
    assert row.min_value <= row.default_value <= row.max_value
    assert row.text.endswith(".")
    assert (row.kind in {"choice", "status"}) == bool(row.choices)
    if row.choices:
        assert (row.min_value, row.max_value) == (0, len(row.choices) - 1)


def test_what_the_engine_writes_is_no_part_of_presets():
    read_only = [row for row in PARAMS if row.is_read_only]
    assert [row.id for row in read_only] == [
        "status", "gain_db", "reduction_db", "peak_db", "clip", "match_gain_db", "blind_trial", "blind_hits", "blind_p",
    ]  # fmt: skip
    assert not any(row.in_preset for row in read_only)


@pytest.mark.parametrize(("param", "on"), [("level_match", "Calibrated"), ("safe_headroom", "Strict")])
def test_what_was_a_toggle_keeps_its_values_where_hosts_know_nothing_but_0_to_1(param, on):
    row = BY_ID[param]
    assert [row.normalised(row.choices.index(text)) for text in ("Off", on, "Programme")] == [0, 1, 0.5]


def test_other_values_are_in_order_where_hosts_know_nothing_but_0_to_1():
    assert [BY_ID["monitor"].normalised(value) for value in range(4)] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert BY_ID["center_level_db"].normalised(-3) == 0.5


def test_deeds_are_no_part_of_sessions():
    assert [row.id for row in PARAMS if not (row.is_kept or row.is_read_only)] == [
        "blind", "blind_listen", "blind_answer",
    ]  # fmt: skip


def test_percent_has_no_unit_because_hosts_drop_the_sign():
    assert all("%" not in row.unit for row in PARAMS)


def test_text_and_value_agree_both_ways():
    for row in PARAMS:
        if row.kind == "choice":
            for index, text in enumerate(row.choices):
                assert raw_value(row.id, text) == index
                assert text_value(row.id, index) == text


@pytest.mark.parametrize(
    ("param_id", "value", "hint"),
    [
        ("volume", 1, "no parameter is called 'volume'"),
        ("amount", 101, "0 to 100 would be right"),
        ("stage_width_deg", -1, "0 to 90 deg would be right"),
        ("monitor", "Phones", "Speakers, Headphones, Headphones Plain, Headphones Reference"),
        ("monitor", 0.4, "Speakers, Headphones"),
        ("bypass", "Maybe", "right would be: Off, On"),
        ("amount", "much", "a number from 0 to 100"),
        ("amount", float("nan"), "amount is nan"),
        ("status", 1, "read-only"),
        ("reduction_db", 1, "read-only"),
        ("safe_headroom", "On", "Off, Strict, Programme"),
    ],
)
def test_wrong_values_say_what_would_be_right(param_id, value, hint):
    with pytest.raises(ValueError, match=hint):
        raw_value(param_id, value)


def test_numbers_of_numpy_are_numbers():
    assert raw_value("amount", np.float32(50)) == 50
    assert raw_value("slot", np.int64(1)) == 1
    with pytest.raises(ValueError, match="amount is nan"):
        raw_value("amount", np.float32("nan"))
    with pytest.raises(TypeError, match="a number or a text would be right"):
        raw_value("amount", 1j)


@pytest.mark.parametrize(
    ("param_id", "value", "raw"),
    [
        *[("room", value, 1.0) for value in ("on", "ON", " On ", True, 1, 1.0, np.True_, np.int64(1))],
        *[("room", value, 0.0) for value in ("off", "OFF", False, 0, np.False_)],
        *[("monitor", value, 2.0) for value in ("headphones plain", "HEADPHONES PLAIN", "headphones-plain", 2)],
        ("upmix_quality", "high_quality", 1.0),
        *[("safe_headroom", value, 2.0) for value in ("programme", "PROGRAMME", 2)],
        *[("safe_headroom", value, 1.0) for value in ("strict", True, 1)],
        *[("safe_headroom", value, 0.0) for value in ("off", False)],
    ],
)
def test_texts_are_read_in_any_case(param_id, value, raw):
    assert raw_value(param_id, value) == raw
