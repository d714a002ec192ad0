"""The verdict on a preset, line by line: the same on the command line and in the report."""

import pytest

from forestage.report.verdict import caveats, shortfall_lines, verdict

SUBJECTS = ["sides", "nearness in a room", "centre", "between", "zone", "drive and level"]


def preset(**changes):
    """Figures that are all good, but for some changes."""
    given = {
        "time": 29.0,
        "room_time": 26.0,
        "high_loss": 4.0,
        "center": 0.5,
        "ripple": 0.4,
        "lead": 1.0,
        "middle": 2.0,
        "middle_in_room": 4.0,
        "moved": 3.0,
        "area": 900.0,
        "drive": 6.0,
        "match": 0.7,
        "limited": 1.0,
    }
    given |= changes
    seat = {"seat_m": [2.0, 0.0, 0.0], "stage_width_deg": 30.0, "room_m3": 50.0, "room_rt60_s": 0.4}
    width = {
        f"{side}azimuth_by_{cue}_deg": {"processed": sign * given["time"]}
        for side, sign in (("", 1.0), ("right_", -1.0))
        for cue in ("time", "level")
    }
    width |= {f"center_azimuth_by_{cue}_deg": {"processed": given["center"]} for cue in ("time", "level")}
    high = -10.0 - given["high_loss"]
    room = {
        "direct_over_reverberant_db": {"plain": [-10.0] * 5, "processed": [-18.0, -18.0, high, -11.0, -11.0]},
        "azimuth_by_time_deg": {"processed": given["room_time"]},
        "azimuth_by_level_deg": {"processed": 25.0},
        "center_lead_db": {"plain": 2.0, "processed": given["lead"], "reference": -0.5},
    }
    room |= {f"panning_error_by_{cue}_deg": {"processed": given["middle_in_room"]} for cue in ("time", "level")}
    metrics = {
        "conditions": seat,
        "width": width,
        "room": room,
        "panning": {f"error_by_{cue}_deg": {"processed": given["middle"]} for cue in ("time", "level")},
        "colour": {"center_ripple_db": {"processed": given["ripple"]}},
        "zone": {
            "area_cm2": {"processed": given["area"]},
            "sweet_spot_m": {"processed": 0.19},
            "moved_separation_db": {"processed": [2.5, 5.0, 6.0, 4.0, given["moved"]]},
        },
        "effort": {"most_drive_db": {"cancelled": 4.0, "staged": given["drive"]}},
        "level": {
            "match_lu": {"processed": given["match"]},
            "limited_db": {"processed": given["limited"]},
            "headroom_db": {"processed": -3.5},
        },
    }
    return {"design": {"metrics": metrics}}


def test_verdict_of_a_good_design_is_good_in_six_lines():
    found = verdict(preset())
    assert [each.subject for each in found] == SUBJECTS
    assert {each.grade for each in found} == {"good"}
    assert str(found[0]) == (
        "sides: good: heard at 29°, -29° by time and 29°, -29° by level in the free field, at ±26° and ±25° in a "
        "living room; ±30° is wanted, 10° off is good"
    )
    assert str(found[-1]) == (
        "drive and level: good: up to 6.0 dB more power than plain stereo takes (4.0 dB without the pair); 9 dB are "
        "good; loud music plays 3.5 dB down, within 0.7 LU of plain stereo (1 LU are good), and the limiter takes up "
        "to 1.0 dB of it (1.5 dB are good)"
    )


@pytest.mark.parametrize(
    ("change", "subject", "grade"),
    [
        ({"time": 15.0}, "sides", "limited"),
        ({"room_time": 5.0}, "sides", "poor"),
        ({"high_loss": 7.0}, "nearness in a room", "limited"),
        ({"high_loss": 10.0}, "nearness in a room", "poor"),
        ({"center": 5.0}, "centre", "limited"),
        ({"ripple": 8.8}, "centre", "poor"),
        ({"lead": 5.0}, "nearness in a room", "limited"),
        ({"lead": 8.0}, "nearness in a room", "poor"),
        ({"lead": -4.0}, "nearness in a room", "limited"),
        ({"middle": 9.0}, "between", "poor"),
        ({"middle_in_room": 15.0}, "between", "limited"),
        ({"moved": 0.4}, "zone", "limited"),
        ({"moved": -3.0}, "zone", "poor"),
        ({"area": 200.0}, "zone", "limited"),
        ({"area": 0.0}, "zone", "poor"),
        ({"drive": 14.0}, "drive and level", "poor"),
        ({"match": 1.2}, "drive and level", "limited"),
        ({"limited": 7.0}, "drive and level", "poor"),
    ],
)
def test_each_line_has_its_limits(change, subject, grade):
    grades = {each.subject: each.grade for each in verdict(preset(**change))}
    assert grades.pop(subject) == grade
    assert set(grades.values()) == {"good"}


def test_narrow_sides_far_away_ask_for_a_nearer_seat():
    """One and a half critical distances of the room; who sits there already is told nothing."""
    far = preset(room_time=5.0)
    assert "sit nearer, at 1.0 m or less" in verdict(far)[0].text
    far["design"]["metrics"]["conditions"]["seat_m"] = [0.5, 0.0, 0.0]
    assert "nearer" not in verdict(far)[0].text


def test_sides_that_only_the_room_narrows_are_not_sent_to_the_free_field():
    text = verdict(preset(room_time=5.0))[0].text
    assert text.endswith("sit nearer, at 1.0 m or less")
    assert verdict(preset(time=15.0, room_time=15.0))[0].text.endswith(
        "or take --variant free-field where little reflects"
    )


@pytest.mark.parametrize(
    ("drivers", "advice"), [(2, "; a third driver, whatever it plays, would even it out"), (3, "")]
)
def test_uneven_centre_asks_for_a_third_driver(drivers, advice):
    """All drivers beam, whatever they play in plain stereo; two cannot."""
    form = preset(ripple=8.8) | {"drivers": [{}] * drivers}
    center = next(each for each in verdict(form) if each.subject == "centre")
    assert center.text.endswith(f"flat on axis within ±8.8 dB, ±3 dB are good{advice}")


def test_a_voice_in_front_of_its_sides_is_said_with_the_reason():
    near = next(each for each in verdict(preset(lead=8.0)) if each.subject == "nearness in a room")
    assert near.text.endswith(
        "the centre stands 8 dB nearer against them than between real loudspeakers (2 dB are good), as voices keep the "
        "nearness of plain stereo"
    )


def test_other_heads_in_the_zone_are_told_of():
    zone = next(each for each in verdict(preset(moved=0.4)) if each.subject == "zone")
    assert "other heads, a little aside, keep 2 dB below 1.6 kHz and 0 dB above at worst" in zone.text
    assert zone.text.endswith("--variant wide-zone is for heads that move")


@pytest.mark.parametrize(("changes", "is_advised"), [({"area": 200.0}, True), ({"area": 0.0}, False)])
def test_a_wide_zone_is_advised_where_it_helps(changes, is_advised):
    """Not to sides that are off their places at the seat already, and not to itself."""
    for variant in ("standard", "wide-zone"):
        form = preset(**changes)
        form["design"]["variant"] = variant
        zone = next(each for each in verdict(form) if each.subject == "zone")
        assert ("--variant wide-zone" in zone.text) == (is_advised and variant == "standard")


def test_middle_positions_are_judged_in_the_room_too():
    between = next(each for each in verdict(preset(middle_in_room=15.0)) if each.subject == "between")
    assert between.text.endswith("2.5° by time are good; 15° and 15° in a living room, 10° are good")


def test_headphones_have_what_makes_sense_for_them():
    form = preset()
    for group in ("room", "panning", "zone"):
        del form["design"]["metrics"][group]
    assert [each.subject for each in verdict(form)] == ["sides", "centre", "drive and level"]


def test_what_a_preset_lacks_has_no_line():
    """Figures of other versions, or edited ones."""
    form = preset()
    del form["design"]["metrics"]["level"]
    assert "loud music" not in verdict(form)[-1].text
    form["design"]["metrics"]["width"] = {}
    form["design"]["metrics"]["panning"] = {"error_by_time_deg": {"processed": "wide"}}
    assert [each.subject for each in verdict(form)] == ["nearness in a room", "zone", "drive and level"]
    assert verdict({}) == []
    assert caveats({}, []) == ["This preset carries no figures by which it could be judged."]


def with_curves(**changes):
    """Curves that meet their targets but for some changes."""
    given = {"separation": 12.0, "on_off": 9.5, "drive": 9.0} | changes
    hz = [250.0, 500.0, 1000.0, 2000.0, 4000.0]
    curves = {
        "separation_target": [12.0] * 5,
        "separation_processed": [12.0, given["separation"], given["separation"], 12.0, 12.0],
        "beam_on_off": [0.0, given["on_off"], given["on_off"], 0.0, 0.0],
        "drive": [9.0, given["drive"], 9.0, 9.0, 9.0],
        "drive_cap": [9.0] * 5,
    }
    target = {"judged_hz": [300.0, 1250.0], "on_off_db": 9.0, "white_noise_gain_db": -5.0}
    return {
        "analysis": [{"name": name, "unit": "dB", "frequency_hz": hz, "values": y} for name, y in curves.items()],
        "design": {"beam_target": target},
    }


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, []),
        ({"separation": 9.5}, ["separation at the seat is up to 2.5 dB short of its target from 500 to 1000 Hz"]),
        ({"on_off": 5.0}, ["beam front over sides is up to 4.0 dB short of its target from 500 to 1000 Hz"]),
        ({"drive": 9.3}, ["drive is up to 0.3 dB above its cap from 500 to 500 Hz"]),
    ],
)
def test_each_shortfall_over_frequency_is_named_with_its_amount(changes, lines):
    assert shortfall_lines(with_curves(**changes)) == lines
