"""Do ear responses hold what every driver sends to the ears, whole and in time? Held against the fields themselves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from forestage import Renderer, load_preset
from forestage.acoustics.device import Device
from forestage.acoustics.device_file import device_table, load_device
from forestage.acoustics.device_in_room import DeviceInRoom, Rendering
from forestage.acoustics.driver import Body, Driver
from forestage.acoustics.fields import ears as field_ears
from forestage.acoustics.head import Head
from forestage.acoustics.seat import Listener, Seat
from forestage.acoustics.shoebox import Room
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.design.ears import DELAY_FRAMES, ear_firs, room_ear_firs
from forestage.design.room_preset import room_preset
from forestage.firs import decode_fir, response_of
from forestage.presets import preset_path
from kinds import first_fast
from places import DEVICES
from signals import noise

FREQUENCY_HZ = np.geomspace(30.0, 12_000.0, 300)
SPHERE = Head()
SHORT = Rendering(length_s=0.04, highest_hz=2000.0)


def boxes(*places, distance_m=1.0, head=SPHERE):
    """Points at (x, y): the first is left, the last right, those between are for the centre."""
    channels = ["left", *["center"] * (len(places) - 2), "right"]
    drivers = tuple(Driver(f"d{i}", c, (x, y, 0.0)) for i, (c, (x, y)) in enumerate(zip(channels, places, strict=True)))
    return Device("Boxes", drivers, Listener(distance_m, head))


def with_woofer(x):
    sides = tuple(replace(driver, low_hz=150.0) for driver in boxes((0.0, 0.3), (0.0, -0.3)).drivers)
    return Device("2.1", (*sides, Driver("woofer", "both", (x, -0.5, -0.6), high_hz=150.0)), Listener(2.0))


def mirrored(device):
    other = {"left": "right", "right": "left"}
    return replace(
        device,
        drivers=tuple(
            replace(driver, channel=other.get(driver.channel, driver.channel), position_m=(x, -y, z))
            for driver in device.drivers
            for x, y, z in [driver.position_m]
        ),
    )


def errors(firs, delay_frames, device, seat):
    """Level in dB and time in frames of ear responses over the fields, less what all have in common."""
    exact = field_ears(device.fields, seat, FREQUENCY_HZ)
    exact = exact * np.exp(2j * np.pi * FREQUENCY_HZ * device.listener.distance_m / SPEED_OF_SOUND_M_S)
    ratio = response_of(firs, FREQUENCY_HZ, sample_rate=48_000, delay_frames=delay_frames) / exact
    level_db = 20 * np.log10(np.abs(ratio))
    # From the first to the last frequency, the phase runs on without a jump
    turns = np.unwrap(np.angle(ratio), axis=-1) / (2 * np.pi)
    late = np.polyfit(FREQUENCY_HZ, turns.reshape(-1, len(FREQUENCY_HZ)).T, 1)[0] * -48_000
    return level_db - np.median(level_db), late - np.median(late)


FAMILY = {
    "asymmetric": boxes((0.0, 0.45), (0.15, -0.25)),
    "12 cm nearer": boxes((0.0, 0.3), (0.2, -0.25)),
    "40 cm nearer": boxes((0.0, 0.3), (0.4, -0.25), distance_m=1.5),
    "left far nearer": boxes((0.7, 0.2), (0.0, -0.5), distance_m=1.5),
    "wide bar": boxes((0.0, 0.9), (0.0, 0.3), (0.0, 0.0), (0.0, -0.3), (0.0, -0.9)),
    "bar around": boxes((0.0, 0.9), (0.3, 0.0), (0.0, -0.9), distance_m=0.8),
    "near woofer": with_woofer(1.0),
    "body": Device(
        "Body",
        (
            Driver("l", "left", azimuth_deg=120.0, cap_half_angle_deg=20.0),
            Driver("f", "center", azimuth_deg=0.0, cap_half_angle_deg=20.0),
            Driver("r", "right", azimuth_deg=-120.0, cap_half_angle_deg=20.0),
        ),
        Listener(1.0),
        Body(0.12),
    ),
    "ears behind": boxes((0.0, 0.45), (0.15, -0.25), head=Head(0.095, 100.0)),
}


@pytest.mark.parametrize("name", first_fast(FAMILY))
def test_every_driver_is_in_the_ears_in_level_and_in_time(name):
    device = FAMILY[name]
    ears = ear_firs(device)
    level_db, late_frames = errors(ears.device, ears.delay_frames, device, device.listener.seat)
    assert np.abs(level_db).max() <= 0.12  # 0.1, and what the median is off
    assert np.abs(late_frames).max() <= 0.05


@pytest.mark.parametrize(
    "seat", [Seat((1.5, -0.5, 0.0)), Seat((1.5, 0.4, 0.1), yaw_deg=50.0), Seat((1.2, -0.3, 0.0), -70.0)]
)
@pytest.mark.parametrize("name", first_fast(["asymmetric", "wide bar", "near woofer"]))
def test_rooms_hold_every_driver_at_any_seat_of_any_head(name, seat):
    device = FAMILY[name]
    open_air = DeviceInRoom(device, Room("Anechoic", (8.0, 8.0, 3.0), 1.0), (2.0, 4.0, 1.5))
    ears = room_ear_firs(open_air, seat, rendering=SHORT)
    level_db, late_frames = errors(ears.device, ears.delay_frames, device, seat)
    inside = FREQUENCY_HZ > 100.0
    assert np.abs(level_db[..., inside]).max() <= 0.12
    assert np.abs(late_frames).max() <= 0.05


@pytest.mark.parametrize("name", ["asymmetric", "left far nearer", "near woofer"])
def test_mirrored_devices_have_mirrored_ears(name):
    device = FAMILY[name]
    ours, other = ear_firs(device), ear_firs(mirrored(device))
    assert ours.delay_frames == other.delay_frames
    np.testing.assert_array_equal(ours.device[::-1].astype(np.float32), other.device.astype(np.float32))
    np.testing.assert_array_equal(ours.reference, other.reference)


@pytest.mark.parametrize("name", ["asymmetric", "near woofer", "left far nearer"])
def test_first_near_ear_of_plain_stereo_peaks_at_the_stated_frame(name):
    device = FAMILY[name]
    ears = ear_firs(device)
    left, right = device.references
    near = np.abs([ears.device[0, left], ears.device[1, right]])
    assert near.argmax(axis=-1).min() == ears.delay_frames
    levels = np.abs(response_of([ears.device[0, left], ears.device[1, right]], [200.0], sample_rate=48_000)[:, 0])
    if name != "near woofer":  # which plays along
        assert np.mean(levels**2) == pytest.approx(1.0, abs=0.02)


def test_delay_follows_what_arrives_first():
    """The woofer, a metre nearer, is heard some 110 frames before plain stereo."""
    assert ear_firs(FAMILY["asymmetric"]).delay_frames == DELAY_FRAMES
    assert 110 < ear_firs(with_woofer(1.0)).delay_frames < 250


@pytest.mark.slow
def test_room_preset_waits_in_both_places_for_what_is_nearer_at_its_seat():
    preset = json.loads(preset_path("laptop").read_text(encoding="utf-8"))
    preset["design"]["device"] = device_table(boxes((0.0, 0.8), (0.0, -0.8), distance_m=2.0))
    preset["ears"] |= {"delay_frames": 10}
    made = room_preset(preset, "living-room", rendering=SHORT)
    assert made["ears"]["delay_frames"] == made["room"]["ears"]["delay_frames"] == DELAY_FRAMES
    for ours, old in zip(made["ears"]["device"][0], preset["ears"]["device"][0], strict=True):
        np.testing.assert_array_equal(decode_fir(ours), np.pad(decode_fir(old), (10, 0)))
    load_preset(made)


def test_length_follows_what_rings():
    """A driver with a steep roll-off in the bass rings for longer than 256 taps."""
    left, right = boxes((0.0, 0.3), (0.0, -0.3)).drivers
    roll_off = ((40.0, -24.0), (80.0, -3.0), (90.0, 0.0), (20_000.0, 0.0))
    device = Device("Bass", tuple(replace(d, response_db=roll_off) for d in (left, right)), Listener(1.0))
    assert ear_firs(device).device.shape[-1] > 256


def test_hard_right_is_as_loud_at_the_right_ear_as_hard_left_at_the_left():
    """The nearer box of the shipped pair is 1.9 dB louder by its distance."""
    levels_db = []
    for side in (0, 1):
        x = noise(frames=48_000)
        x[1 - side] = 0.0
        y = Renderer("asymmetric-pair", monitor="Headphones Plain", safe_headroom="Off").process(x)[:, 12_000:]
        levels_db.append(10 * np.log10(np.mean(np.square(y, dtype=np.float64), axis=1)))
    (left_near, left_far), (right_far, right_near) = levels_db
    assert right_near - left_near == pytest.approx(1.9, abs=1.0)
    assert left_near - left_far > 4.0
    assert right_near - right_far > 3.0


@pytest.mark.slow
def test_shipped_device_files_are_right():
    for path in sorted(DEVICES.glob("*.toml")):
        device = load_device(path)
        if not device.is_headphones:
            ears = ear_firs(device)
            assert ears.delay_frames == DELAY_FRAMES, path.stem
            level_db, late_frames = errors(ears.device, ears.delay_frames, device, device.listener.seat)
            if not any(driver.low_hz or driver.high_hz for driver in device.drivers):
                assert np.abs(level_db).max() <= 0.12, path.stem
                assert np.abs(late_frames).max() <= 0.05, path.stem
