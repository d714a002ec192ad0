"""Does a mistake in a device file come back as the field and its value?"""

import copy
from pathlib import Path

import pytest

from forestage.acoustics.device import Device, Driver, Listener, load_device, parse_device

DEVICES = Path(__file__).resolve().parents[1] / "presets" / "devices"

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
    assert parse_device(POINTS).stereo == [0, 1]
    assert parse_device(CAPS).stereo == [0, 1]


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
            r'driver\[1\]\.channel = "rear": must be one of left, right, center',
        ),
        (POINTS, ["driver", 1, "channel"], "center", r'channel = "right": a device needs exactly one.*has 0'),
        (POINTS, ["driver", 1, "channel"], "left", r'channel = "left": a device needs exactly one.*has 2'),
        (POINTS, ["driver", 0, "position_m"], [0.0, -0.2, 0.0], r'channel = "left": stands to the right'),
        (POINTS, ["driver", 1, "name"], "a\nb", r"driver\[1\]\.name = 'a\\nb': must be one line"),
        (POINTS, ["driver"], [dict(POINTS["driver"][0])] * 17, "driver: 17 of them; must be at most 16"),
        (CAPS, ["driver", 1, "azimuth_deg"], 90.0, r"driver\[1\]\.azimuth_deg = 90\.0: driver\[0\] points there"),
        (POINTS, ["name"], "x" * 101, "name = 'x+'.*: must be one line of at most 100"),
        (POINTS, ["driver", 1, "colour"], "red", r"driver\[1\]\.colour = 'red': unknown key"),
        (POINTS, ["driver", 0, "response_db"], [[100, 0], [50, 1]], r"driver\[0\]\.response_db\[1\] = \[50\.0, 1\.0\]"),
        (POINTS, ["driver", 0, "response_db"], [[100]], r"driver\[0\]\.response_db\[0\] = \[100\].*2 numbers"),
        (POINTS, ["driver", 0, "response_db"], 3, r"driver\[0\]\.response_db = 3"),
        (POINTS, ["listener", "distance_m"], 0, r"listener\.distance_m = 0\.0: must be above 0"),
        (POINTS, ["listener", "distance_m"], -1.0, r"listener\.distance_m = -1\.0: must be above 0"),
        (POINTS, ["listener", "distance_m"], True, r"listener\.distance_m = True: must be a number"),
        (POINTS, ["listener", "distance_m"], float("inf"), r"listener\.distance_m = inf: must be finite"),
        (
            POINTS,
            ["listener", "distance_m"],
            0.05,
            r"listener\.distance_m = 0\.05: the device would be inside the head",
        ),
        (POINTS, ["listener", "distance_m"], None, r"listener\.distance_m = None"),
        (POINTS, ["listener", "head_radius_m"], -0.08, r"listener\.head_radius_m = -0\.08: must be above 0"),
        (POINTS, ["listener", "ear_azimuth_deg"], 200, r"listener\.ear_azimuth_deg = 200\.0"),
        (POINTS, ["listener", "seat"], 1, r"listener\.seat = 1: unknown key"),
        (POINTS, ["listener"], None, r"listener = None: must be a table"),
        (POINTS, ["name"], None, r"name = None: must be a text"),
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
        (CAPS, ["driver", 1, "azimuth_deg"], None, r"driver\[1\]\.azimuth_deg = None: must be a number"),
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
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"broken\.toml: .*utf-8"):
        load_device(path)


def test_devices_made_in_python_are_checked_too():
    with pytest.raises(ValueError, match=r"driver\[1\]\.position_m"):
        Device(
            "x",
            (Driver("l", "left", (0.0, 0.1, 0.0)), Driver("r", "right", (1.0, 0.0, 0.0))),
            Listener(1.0),
        )
