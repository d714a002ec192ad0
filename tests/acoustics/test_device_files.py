"""Does a mistake in a device file come back as the field and its value?"""

import copy
import math
import re

import numpy as np
import pytest

from forestage.acoustics.device import Device
from forestage.acoustics.device_file import device_table, load_device, parse_device
from forestage.acoustics.driver import Body, Driver
from forestage.acoustics.head import Head
from forestage.acoustics.seat import Listener, Seat
from places import DEVICES

POINTS = {
    "name": "Pair",
    "listener": {"distance_m": 0.5},
    "driver": [
        {"name": "l", "channel": "left", "position_m": [0.0, 0.14, 0.0]},
        {"name": "r", "channel": "right", "position_m": [0.0, -0.14, 0.0]},
    ],
}
CAPS = {
    "name": "Ball",
    "listener": {"distance_m": 2.0},
    "body": {"radius_m": 0.09},
    "driver": [
        {"name": "l", "channel": "left", "azimuth_deg": 90, "cap_half_angle_deg": 16},
        {"name": "r", "channel": "right", "azimuth_deg": -90, "cap_half_angle_deg": 16},
    ],
}

HEADPHONES = {
    "name": "Headphones",
    "listener": {"distance_m": 2.0},
    "driver": [{"name": "l", "channel": "left", "ear": "left"}, {"name": "r", "channel": "right", "ear": "right"}],
}
LEFT, RIGHT = POINTS["driver"]
REVERSED = LEFT | {"low_hz": 300.0, "high_hz": 200.0}
TWO_REFERENCES = [
    *(
        {"name": name, "channel": "left", "position_m": [0.0, y, 0.0], "is_reference": True}
        for name, y in (("a", 0.1), ("b", 0.2))
    ),
    RIGHT,
]
REFERENCE_CENTER = [
    LEFT,
    RIGHT,
    {"name": "c", "channel": "center", "position_m": [0.0, 0.0, 0.0], "is_reference": True},
]


def changed(table: dict, path: list, value) -> dict:
    table = copy.deepcopy(table)
    place = table
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return table


def test_shipped_devices_are_what_they_say():
    speaker = load_device(DEVICES / "smart-speaker.toml")
    assert speaker.body is not None
    assert speaker.body.radius_m == 0.09
    assert [(d.channel, d.azimuth_deg, d.cap_half_angle_deg) for d in speaker.drivers] == [
        ("left", 90.0, 16.0),
        ("right", -90.0, 16.0),
        ("center", 0.0, 16.0),
    ]
    assert speaker.listener.distance_m == 2.0
    assert speaker.slug == "smart-speaker"
    laptop = load_device(DEVICES / "laptop.toml")
    assert [d.position_m for d in laptop.drivers] == [(0.0, 0.14, 0.0), (0.0, -0.14, 0.0)]
    assert laptop.listener.distance_m == 0.5
    assert not laptop.has_center


def test_valid_tables_parse():
    for table in (POINTS, CAPS, HEADPHONES):
        assert parse_device(table).references == [0, 1]
    assert parse_device(HEADPHONES).is_headphones


@pytest.mark.parametrize("path", sorted(DEVICES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_device_is_written_as_the_table_it_was_read_from(path):
    device = load_device(path)
    assert parse_device(device_table(device)) == device
    assert device.text


def test_shipped_pairs_stand_where_their_names_say():
    for angle_deg in (10, 30):
        device = load_device(DEVICES / f"desktop-{angle_deg}.toml")
        for driver in device.drivers:
            x, y, _ = driver.position_m
            assert abs(math.degrees(math.atan2(y, device.listener.distance_m - x))) == pytest.approx(angle_deg, abs=0.1)


def test_all_keys_of_a_driver_are_kept():
    keys = {
        "response_db": [[100.0, -3.0], [200.0, 0.0]],
        "max_db": [[60.0, -6.0], [120.0, 9.0]],
        "low_hz": 200.0,
        "high_hz": 4000.0,
        "bass_to": [],
        "thiele_small": {"volts": 8.0, "xmax_mm": 2.0, "fs_hz": 90.0, "re_ohm": 4.0, "mms_g": 3.0, "bl_tm": 4.0},
        "level_db": -2.0,
        "delay_ms": 0.3,
        "inverted": True,
        "is_reference": True,
    }
    table = changed(POINTS, ["driver", 0], POINTS["driver"][0] | keys)
    assert device_table(parse_device(table))["driver"][0] == table["driver"][0]


@pytest.mark.parametrize(
    ("table", "path", "value", "message"),
    [
        (
            POINTS,
            ["driver", 1, "position_m"],
            [0.5, 0.05, 0.0],
            r"driver\[1\]\.position_m = \[0\.5, 0\.05, 0\.0\]: inside",
        ),
        (POINTS, ["driver", 1, "position_m"], [0.0, 0.14, 0.0], r"driver\[1\]\.position_m.*driver\[0\] stands there"),
        (POINTS, ["driver", 0, "position_m"], [0.0, 0.14], r"driver\[0\]\.position_m = \[0\.0, 0\.14\].*3 numbers"),
        (
            POINTS,
            ["driver", 0, "position_m"],
            [0.0, float("nan"), 0.0],
            r"driver\[0\]\.position_m = nan: must be finite",
        ),
        (POINTS, ["driver", 0, "position_m"], [0.0, "a", 0.0], r"driver\[0\]\.position_m = 'a': must be a number"),
        (POINTS, ["driver", 0, "position_m"], None, r"driver\[0\]: needs position_m"),
        (POINTS, ["driver", 0, "azimuth_deg"], 10.0, r"driver\[0\]\.azimuth_deg = 10\.0.*not both"),
        (POINTS, ["driver"], [], r"driver = \[\]: a device needs drivers"),
        (POINTS, ["driver"], None, r"driver = \[\]: a device needs drivers"),
        (POINTS, ["driver"], "x", r"driver = 'x'"),
        (POINTS, ["driver", 1], 3, r"driver\[1\] = 3: must be a table"),
        (POINTS, ["driver", 1, "name"], "l", r'driver\[1\]\.name = "l": another driver'),
        (POINTS, ["driver", 1, "name"], 5, r"driver\[1\]\.name = 5: must be a text"),
        (
            POINTS,
            ["driver", 1, "channel"],
            "rear",
            r"driver\[1\]\.channel = 'rear': must be one of left, right, center, both",
        ),
        (POINTS, ["driver", 1, "channel"], "center", r'channel = "right": a device needs at least one.*has none'),
        (POINTS, ["driver", 1, "channel"], "left", r'channel = "right": a device needs at least one.*has none'),
        (POINTS, ["driver", 0, "low_hz"], 5, r"driver\[0\]\.low_hz = 5\.0: must be within 20\.\.16000"),
        (POINTS, ["driver", 0, "high_hz"], "2 kHz", r"driver\[0\]\.high_hz = '2 kHz': must be a number"),
        (POINTS, ["driver", 0], REVERSED, r"driver\[0\]\.high_hz = 200\.0: must be above low_hz = 300\.0"),
        (POINTS, ["driver", 1, "level_db"], 60, r"driver\[1\]\.level_db = 60\.0: must be within -24\.\.24"),
        (POINTS, ["driver", 1, "delay_ms"], 3, r"driver\[\]\.delay_ms = \[0\.0, 3\.0\]: 3 ms apart; .* 2\.5 ms"),
        (POINTS, ["driver", 1, "inverted"], 1, r"driver\[1\]\.inverted = 1: must be true or false"),
        (POINTS, ["driver"], TWO_REFERENCES, r"driver\[\]\.is_reference: both a and b; a side has one at most"),
        (POINTS, ["driver"], REFERENCE_CENTER, r'driver\[2\]\.is_reference = true: only a "left" or "right" driver'),
        (POINTS, ["driver", 1, "ear"], "right", r"driver\[0\]: has no ear, but other drivers do"),
        (HEADPHONES, ["driver", 1, "ear"], "both", r"driver\[1\]\.ear = 'both': must be one of left, right"),
        (HEADPHONES, ["driver", 1, "ear"], None, r"driver\[1\]: has no ear, but other drivers do"),
        (
            HEADPHONES,
            ["driver", 1, "position_m"],
            [0.0, 0.1, 0.0],
            r'driver\[1\]\.ear = "right": a headphone capsule has',
        ),
        (
            HEADPHONES,
            ["driver", 1, "channel"],
            "center",
            r'driver\[1\]\.channel = "center": the capsule at the right ear plays',
        ),
        (
            POINTS,
            ["listener", "ear_elevation_deg"],
            95,
            r"listener\.ear_elevation_deg = 95\.0: must be within -90\.\.90",
        ),
        (POINTS, ["driver", 0, "position_m"], [0.0, -0.2, 0.0], r'channel = "left": stands to the right'),
        (POINTS, ["driver", 1, "name"], "a\nb", r"driver\[1\]\.name = 'a\\nb': must be one line"),
        (POINTS, ["driver"], [dict(POINTS["driver"][0])] * 17, "driver: 17 of them; must be at most 16"),
        (CAPS, ["driver", 1, "azimuth_deg"], 90.0, r"driver\[1\]\.azimuth_deg = 90\.0: driver\[0\] points there"),
        (POINTS, ["name"], "x" * 101, "name = 'x+'.*: must be one line of at most 100"),
        (POINTS, ["driver", 1, "colour"], "red", r"driver\[1\]\.colour = 'red': unknown key"),
        (POINTS, ["driver", 0, "response_db"], [[100, 0], [50, 1]], r"driver\[0\]\.response_db\[1\] = \[50\.0, 1\.0\]"),
        (POINTS, ["driver", 0, "response_db"], [[100]], r"driver\[0\]\.response_db\[0\] = \[100\].*2 numbers"),
        (POINTS, ["driver", 0, "max_db"], [[100, 0], [50, 1]], r"driver\[0\]\.max_db\[1\] = \[50\.0, 1\.0\]"),
        (POINTS, ["driver", 0, "response_db"], 3, r"driver\[0\]\.response_db = 3"),
        (POINTS, ["listener", "distance_m"], 0, r"listener\.distance_m = 0\.0: must be above 0"),
        (POINTS, ["listener", "distance_m"], -1.0, r"listener\.distance_m = -1\.0: must be above 0"),
        (POINTS, ["listener", "distance_m"], 1e30, r"listener\.distance_m = 1e\+30: must be at most 100"),
        (POINTS, ["listener", "distance_m"], 10**400, r"listener\.distance_m: has too many digits"),
        (
            POINTS,
            ["driver", 0, "position_m"],
            [0, 1e30, 0],
            r"position_m = \[0\.0, 1e\+30, 0\.0\]: must be within \+-100",
        ),
        (POINTS, ["listener", "distance_m"], True, r"listener\.distance_m = True: must be a number"),
        (POINTS, ["listener", "distance_m"], float("inf"), r"listener\.distance_m = inf: must be finite"),
        (
            POINTS,
            ["listener", "distance_m"],
            0.05,
            r"listener\.distance_m = 0\.05: the device would be inside the head",
        ),
        (POINTS, ["listener", "distance_m"], None, r"listener\.distance_m is missing: must be a number"),
        (POINTS, ["listener", "head_radius_m"], 0.4, r"listener\.head_radius_m = 0\.4: must be at most 0\.3"),
        (CAPS, ["body", "radius_m"], 1.5, r"body\.radius_m = 1\.5: must be at most 1"),
        (
            POINTS,
            ["driver", 0, "delay_ms"],
            1e9,
            r"driver\[0\]\.delay_ms = 1000000000\.0: must be within -1000\.\.1000",
        ),
        (
            POINTS,
            ["driver", 0, "response_db"],
            [[9.0, 200.0]],
            r"response_db\[0\] = \[9\.0, 200\.0\]: must be at most 1e\+0",
        ),
        (
            POINTS,
            ["driver", 0, "response_db"],
            [[1e7, 0.0]],
            r"response_db\[0\] = .* must be at most 1e\+06 Hz and within",
        ),
        (
            POINTS,
            ["driver", 0, "response_db"],
            [[float(hz), 0.0] for hz in range(1, 20_000)],
            r"driver\[0\]\.response_db: 19999 of them; must be at most 10000",
        ),
        (POINTS, ["listener", "head_radius_m"], -0.08, r"listener\.head_radius_m = -0\.08: must be above 0"),
        (POINTS, ["listener", "ear_azimuth_deg"], 200, r"listener\.ear_azimuth_deg = 200\.0"),
        (POINTS, ["listener", "seat"], 1, r"listener\.seat = 1: unknown key"),
        (POINTS, ["listener"], None, r"listener is missing: must be a table"),
        (POINTS, ["name"], None, r"name is missing: must be a text"),
        (POINTS, ["name"], " ", r'name = " ": must not be empty'),
        (POINTS, ["room"], {}, r"room = \{\}: unknown key; allowed: name, text"),
        (POINTS, ["body"], {"radius_m": 0.1}, r"driver\[0\]\.position_m.*on a body drivers are caps"),
        (CAPS, ["body", "radius_m"], -0.09, r"body\.radius_m = -0\.09: must be above 0"),
        (CAPS, ["body"], None, r"driver\[0\]\.cap_half_angle_deg = 16\.0: a cap needs a \[body\]"),
        (CAPS, ["listener", "distance_m"], 0.17, r"listener\.distance_m = 0\.17.*must be above 0\.1775"),
        (CAPS, ["driver", 1, "cap_half_angle_deg"], -3, r"driver\[1\]\.cap_half_angle_deg = -3\.0"),
        (CAPS, ["driver", 1, "cap_half_angle_deg"], 120, r"driver\[1\]\.cap_half_angle_deg = 120\.0"),
        (CAPS, ["driver", 1, "elevation_deg"], 100, r"driver\[1\]\.elevation_deg = 100\.0"),
        (CAPS, ["driver", 1, "azimuth_deg"], 1000, r"driver\[1\]\.azimuth_deg = 1000\.0"),
        (CAPS, ["driver", 1, "azimuth_deg"], None, r"driver\[1\]\.azimuth_deg is missing: must be a number"),
    ],
)
def test_mistake_is_reported_with_field_and_value(table, path, value, message):
    with pytest.raises(ValueError, match=message):
        parse_device(changed(table, path, value))


def test_error_names_the_file(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text('name = "x"\nlistener = 3\n')
    with pytest.raises(ValueError, match=r"broken\.toml: driver = \[\]"):
        load_device(path)
    path.write_text("name = ")
    with pytest.raises(ValueError, match=r"broken\.toml: Invalid value"):
        load_device(path)
    path.write_bytes(b'name = "\xe4"')
    with pytest.raises(ValueError, match=r"broken\.toml: .*utf-8"):
        load_device(path)


def test_devices_made_in_python_are_checked_too():
    with pytest.raises(ValueError, match=r"driver\[1\]\.position_m"):
        Device(
            "x",
            (Driver("l", "left", (0.0, 0.1, 0.0)), Driver("r", "right", (1.0, 0.0, 0.0))),
            Listener(1.0),
        )


def test_capsule_at_the_wrong_ear_is_refused():
    capsules = [{"name": "l", "channel": "left", "ear": "right"}, {"name": "r", "channel": "right", "ear": "left"}]
    with pytest.raises(ValueError, match="the capsule at the right ear plays right or both"):
        parse_device({"name": "Swapped", "listener": {"distance_m": 1.0}, "driver": capsules})


NAN = float("nan")


def driver(**fields):
    return Driver(**{"name": "l", "channel": "left", "position_m": (0.0, 0.1, 0.0)} | fields)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: driver(channel="Left"), "channel = 'Left': must be one of left, right, center, both"),
        (lambda: driver(channel=None), "channel is missing: must be a text"),
        (lambda: driver(ear="Left"), "ear = 'Left': must be one of left, right"),
        (lambda: driver(name=3), "name = 3: must be a text"),
        (lambda: driver(name=" "), 'name = " ": must not be empty'),
        (lambda: driver(position_m=(0.0, NAN, 0.0)), "position_m = nan: must be finite"),
        (lambda: driver(position_m=(0.0, 0.1)), "position_m = (0.0, 0.1): must be a list of 3 numbers"),
        (lambda: driver(position_m="abc"), "position_m = 'abc': must be a list of 3 numbers"),
        (lambda: driver(azimuth_deg="30"), "azimuth_deg = '30': must be a number"),
        (lambda: driver(elevation_deg=91), "elevation_deg = 91.0: must be within -90..90"),
        (lambda: driver(cap_half_angle_deg=0), "cap_half_angle_deg = 0.0: must be above 0 and at most 90"),
        (lambda: driver(response_db=7), "response_db = 7: must be a list of [hz, db] pairs"),
        (lambda: driver(response_db=[(100, NAN)]), "response_db[0] = nan: must be finite"),
        (lambda: driver(response_db=[(9, 0), (9, 1)]), "response_db[1] = [9.0, 1.0]: frequencies must be above 0 and"),
        (lambda: driver(low_hz=NAN), "low_hz = nan: must be finite"),
        (lambda: driver(high_hz=5), "high_hz = 5.0: must be within 20..16000"),
        (lambda: driver(low_hz=300, high_hz=200), "high_hz = 200.0: must be above low_hz = 300.0"),
        (lambda: driver(level_db=math.inf), "level_db = inf: must be finite"),
        (lambda: driver(delay_ms=None), "delay_ms is missing: must be a number"),
        (lambda: driver(inverted=1), "inverted = 1: must be true or false"),
        (lambda: driver(directivity="x.sofa"), "directivity = 'x.sofa': must be a MeasuredDirectivity"),
        (lambda: Body(NAN), "radius_m = nan: must be finite"),
        (lambda: Body(-1), "radius_m = -1.0: must be above 0"),
        (lambda: Listener("1 m"), "distance_m = '1 m': must be a number"),
        (lambda: Listener(True), "distance_m = True: must be a number"),
        (lambda: Listener(101), "distance_m = 101.0: must be at most 100"),
        (lambda: Listener(1.0, "kemar.sofa"), "head = 'kemar.sofa': must be a Head, or what load_head returns"),
        (lambda: Seat((1.0, 0.0)), "position_m = (1.0, 0.0): must be a list of 3 numbers"),
        (lambda: Seat((1.0, 0.0, 0.0), NAN), "yaw_deg = nan: must be finite"),
        (lambda: Seat((1.0, 0.0, 0.0), head=None), "head = None: must be a Head, or what load_head returns"),
        (lambda: Head(NAN), "radius_m = nan: must be finite"),
        (lambda: Device("x", "drivers", Listener(1.0)), "drivers = 'drivers': must be a tuple of Driver"),
        (lambda: Device("x", ["l"], Listener(1.0)), "driver[0] = 'l': must be a Driver"),
        (lambda: Device("x", [driver()], 1.0), "listener = 1.0: must be a Listener"),
        (lambda: Device("x", [driver()], Listener(1.0), 0.1), "body = 0.1: must be a Body"),
        (lambda: Device("x", [driver()], Listener(1.0), text="a\nb"), "text = 'a\\nb'...: must be one line of at most"),
    ],
)
def test_construction_refuses_what_a_file_may_not_say(make, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        make()


def test_numbers_of_numpy_become_plain_ones():
    made = driver(position_m=np.array([0, 0.1, 0]), level_db=np.float32(2), response_db=np.ones((1, 2)))
    plain = driver(position_m=(0.0, 0.1, 0.0), level_db=2.0, response_db=((1.0, 1.0),))
    assert made == plain
    assert repr(made) == repr(plain)
    assert repr(Seat(np.array([1, 0, 0]), np.float32(10))) == repr(Seat((1.0, 0.0, 0.0), 10.0))
    pair = [driver(inverted=np.True_), driver(name="r", channel="right", position_m=[0, -0.1, 0])]
    assert Device("Pair", pair, Listener(1)) == parse_device(device_table(Device("Pair", tuple(pair), Listener(1.0))))
