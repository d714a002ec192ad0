"""Does a device in a room sound as it must? Against the free field, walls as mirrors, and rooms that are turned."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from forestage.acoustics import fields
from forestage.acoustics.device_file import load_device, parse_device
from forestage.acoustics.device_in_room import DeviceInRoom, Rendering
from forestage.acoustics.head import Head
from forestage.acoustics.image_sources import Images
from forestage.acoustics.measured_head import load_head
from forestage.acoustics.patterns import FAR_M, driver_patterns, head_patterns, lead_frames
from forestage.acoustics.room import OMNI, room_response
from forestage.acoustics.seat import Seat
from forestage.acoustics.shoebox import ROOMS, Room
from forestage.acoustics.sofa import MeasurementWarning
from forestage.acoustics.spherical_harmonics import fibonacci_quadrature, real_sh
from forestage.constants import SPEED_OF_SOUND_M_S
from measurements import directivity, grid_directions, sphere_head, write_sofa
from places import DEVICES

KEMAR = Path("/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa")
SPEAKER, SOUNDBAR = (load_device(DEVICES / f"{name}.toml") for name in ("smart-speaker", "soundbar-3"))
DIMENSIONS_M = (5.2, 4.1, 2.5)
ANECHOIC = Room("Anechoic", DIMENSIONS_M, 1.0)
PLACE_M = (0.5, 1.9, 1.1)
SEAT = Seat((2.0, 0.3, 0.0), yaw_deg=20.0)
SAMPLE_RATE = 16_000
SHORT = Rendering(length_s=0.06, sample_rate=SAMPLE_RATE, highest_hz=2000.0, images=Images(), leak_hz=0.0)
BAND_HZ = np.geomspace(200.0, 6000.0, 60)


def spectra(responses, frequency_hz, sample_rate=SAMPLE_RATE):
    times = np.arange(responses.shape[-1]) / sample_rate
    return responses @ np.exp(-2j * np.pi * np.outer(times, frequency_hz))


def error_db(ours, truth):
    """Energy of the difference over that of the truth, of all ears and drivers together."""
    axes = tuple(range(np.ndim(truth) - 1))
    return 10 * np.log10(np.sum(np.abs(ours - truth) ** 2, axis=axes) / np.sum(np.abs(truth) ** 2, axis=axes))


def difference_db(ours, truth):
    """Energy of the difference of impulse responses over that of the truth."""
    return float(10 * np.log10(np.sum((ours - truth) ** 2) / np.sum(truth**2) + 1e-20))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("measured")


@pytest.fixture(scope="module")
def measured(folder):
    """The smart speaker with measured drivers, one of them beside the others and 2 ms late, and a measured listener."""
    frequency = np.arange(100.0, 8001.0, 100.0)
    rows = []
    for driver, field in zip(SPEAKER.drivers, SPEAKER.fields, strict=True):
        delay_s = 9e-3 if driver.channel == "left" else 7e-3
        directions, aim = grid_directions(10.0), driver.azimuth_deg
        file = directivity(field, directions, azimuth_deg=aim, frequency_hz=frequency, delay_s=delay_s)
        write_sofa(folder / f"{driver.name}.sofa", file)
        place = [0.0, 0.02, 0.0] if driver.channel == "left" else [0.0, 0.0, 0.0]
        named = {"name": driver.name, "channel": driver.channel, "position_m": place}
        rows.append(named | {"azimuth_deg": aim, "directivity_sofa": f"{driver.name}.sofa"})
    write_sofa(folder / "head.sofa", sphere_head(grid_directions(15.0)))
    listener = {"distance_m": 2.0, "head_sofa": "head.sofa"}
    with pytest.warns(MeasurementWarning, match="up to 7500 Hz"):  # beyond the bands that are tested
        return parse_device({"name": "Measured", "listener": listener, "driver": rows}, folder)


# Patterns


@pytest.mark.parametrize("frequency_hz", [100.0, 500.0, 2000.0, 6000.0])
def test_patterns_of_caps_are_their_far_fields(frequency_hz):
    """-35 dB: the order counts all that matters up to its frequency, and the FIRs end before half the sample rate."""
    directions = fibonacci_quadrature(200).directions
    patterns = driver_patterns(SPEAKER.fields, sample_rate=SAMPLE_RATE, highest_hz=6000.0)
    assert error_db(_far(patterns, directions, frequency_hz), _truth(SPEAKER.fields, directions, frequency_hz)) <= -35


@pytest.mark.slow
@pytest.mark.parametrize("frequency_hz", [200.0, 1000.0, 3000.0])
def test_patterns_of_measured_drivers_are_their_far_fields(measured, frequency_hz):
    """-30 dB: of the driver as it was fitted."""
    directions = fibonacci_quadrature(200).directions
    only = [measured.fields[0]]
    patterns = driver_patterns(only, sample_rate=SAMPLE_RATE, highest_hz=6000.0)
    assert error_db(_far(patterns, directions, frequency_hz), _truth(only, directions, frequency_hz)) <= -30


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sphere", "measured"])
@pytest.mark.parametrize("frequency_hz", [100.0, 500.0, 2000.0, 6000.0])
def test_patterns_of_ears_are_what_plane_waves_do(measured, kind, frequency_hz):
    """-30 dB: as for drivers."""
    directions = fibonacci_quadrature(200).directions
    head = Head(ear_azimuth_deg=100.0) if kind == "sphere" else measured.listener.head
    patterns = head_patterns(head, sample_rate=SAMPLE_RATE, highest_hz=6000.0)
    flight = np.exp(2j * np.pi * frequency_hz * FAR_M / SPEED_OF_SOUND_M_S)
    truth = FAR_M * flight * head.ears([frequency_hz], FAR_M * directions)
    assert error_db(_far(patterns, directions, frequency_hz), truth) <= -30


@pytest.mark.slow
@pytest.mark.parametrize("frequency_hz", [600.0, 1000.0, 3000.0])
def test_patterns_of_a_real_head_keep_its_level(frequency_hz):
    """Within 0.6 dB: pinnae are finer than the order of the sphere."""
    directions = fibonacci_quadrature(100).directions
    head = load_head(KEMAR)
    heard = _far(head_patterns(head, sample_rate=SAMPLE_RATE, highest_hz=6000.0), directions, frequency_hz)
    truth = FAR_M * head.ears([frequency_hz], FAR_M * directions)
    np.testing.assert_allclose(
        10 * np.log10(np.sum(np.abs(heard) ** 2, axis=1) / np.sum(np.abs(truth) ** 2, axis=1)), 0.0, atol=0.6
    )


def _far(patterns, directions, frequency_hz):
    late = np.exp(2j * np.pi * frequency_hz * lead_frames(SAMPLE_RATE) / SAMPLE_RATE)
    coefficients = spectra(patterns, [frequency_hz])[..., 0] * late
    order = round(np.sqrt(coefficients.shape[1])) - 1
    return (coefficients @ real_sh(directions, order).T)[..., None]


def _truth(drivers, directions, frequency_hz):
    flight = FAR_M * np.exp(2j * np.pi * frequency_hz * FAR_M / SPEED_OF_SOUND_M_S)
    return flight * np.stack([field.field([frequency_hz], field.centre_m + FAR_M * directions) for field in drivers])


# The direct sound


@pytest.mark.parametrize("device", [SPEAKER, SOUNDBAR], ids=lambda device: device.slug)
@pytest.mark.parametrize("room", [ANECHOIC, ROOMS["living-room"]], ids=lambda room: room.name)
def test_direct_sound_is_that_of_the_free_field(device, room):
    """Up to 2 ms after its arrival, before the floor answers; -30 dB leaves room for the cut."""
    heard = DeviceInRoom(device, room, PLACE_M).ears(SEAT, SHORT)
    first_reflection = round((np.hypot(SEAT.position_m[0], 2 * PLACE_M[2]) / SPEED_OF_SOUND_M_S - 0.6e-3) * SAMPLE_RATE)
    if room is not ANECHOIC:
        heard[..., first_reflection:] = 0.0
    truth = fields.ears(device.fields, SEAT, BAND_HZ)
    ours = spectra(heard, BAND_HZ)
    assert np.max(error_db(ours, truth)) <= -30
    if room is ANECHOIC:
        np.testing.assert_allclose(np.abs(ours / truth), 1.0, atol=10 ** (1 / 20) - 1)


@pytest.mark.slow
def test_measured_drivers_and_a_measured_head_are_heard_as_in_the_free_field(measured):
    seat = replace(SEAT, head=measured.listener.head)
    heard = DeviceInRoom(measured, ANECHOIC, PLACE_M).ears(seat, SHORT)
    truth = fields.ears(measured.fields, seat, BAND_HZ)
    assert np.max(error_db(spectra(heard, BAND_HZ), truth)) <= -30


# Reflections


@dataclass(frozen=True)
class Mirrored:
    """What a driver radiates, seen in a wall: the field at the mirrored points."""

    original: object
    scene: DeviceInRoom
    wall: int

    def mirrored(self, points_m):
        axis, is_far = divmod(self.wall, 2)
        points = self.scene.in_room(points_m)
        points[..., axis] = 2 * is_far * DIMENSIONS_M[axis] - points[..., axis]
        return (points - self.scene.position_m) @ self.scene.axes

    @property
    def centre_m(self):
        return self.mirrored(self.original.centre_m)

    @property
    def extent_m(self):
        return self.original.extent_m

    def field(self, frequency_hz, points_m):
        return self.original.field(frequency_hz, self.mirrored(points_m))


@pytest.mark.slow
@pytest.mark.parametrize("azimuth_deg", [0.0, 40.0])
@pytest.mark.parametrize("wall", range(6))
def test_a_wall_is_a_mirror(wall, azimuth_deg):
    """-20 dB: reflections come as from afar, without the parallax of a device and a head of 9 cm."""
    absorption = np.ones((6, 7))
    absorption[wall] = 0.0
    open_air = DeviceInRoom(SPEAKER, ANECHOIC, PLACE_M, azimuth_deg)
    scene = replace(open_air, room=Room("One wall", DIMENSIONS_M, absorption))
    reflected = scene.ears(SEAT, SHORT) - open_air.ears(SEAT, SHORT)
    frequency = np.array([200.0, 400.0, 800.0])
    truth = fields.ears([Mirrored(field, scene, wall) for field in SPEAKER.fields], SEAT, frequency)
    assert np.max(error_db(spectra(reflected, frequency), truth)) <= -20


def test_a_point_and_a_microphone_are_the_room_itself():
    """-40 dB up to 6 kHz: the band of patterns ends at 6.7 kHz."""
    pair = DeviceInRoom(SOUNDBAR, ROOMS["kitchen"], (0.5, 1.5, 1.1))
    place = pair.place(Seat((1.5, 0.2, 0.1)), SHORT)
    ours = place.microphones(OMNI)[0]
    for driver, response in zip(SOUNDBAR.drivers, ours, strict=True):
        truth = room_response(
            ROOMS["kitchen"],
            source_m=pair.in_room(driver.position_m),
            receiver_m=pair.in_room((1.5, 0.2, 0.1)),
            length_s=SHORT.length_s,
            sample_rate=SAMPLE_RATE,
        )[0, 0]
        assert np.median(error_db(spectra(response, BAND_HZ), spectra(truth, BAND_HZ))) <= -40


def test_room_and_device_turned_together_sound_the_same():
    absorption = np.linspace(0.1, 0.6, 42).reshape(6, 7)
    west, east, south, north, floor, ceiling = absorption
    x, y, z = DIMENSIONS_M
    straight = DeviceInRoom(SPEAKER, Room("Straight", (x, y, z), absorption), PLACE_M)
    # a quarter turn to the left: what was in the west is in the south
    walls = np.array([north, south, west, east, floor, ceiling])
    aside = DeviceInRoom(SPEAKER, Room("Turned", (y, x, z), walls), (y - PLACE_M[1], PLACE_M[0], PLACE_M[2]), 90.0)
    a, b = (scene.ears(SEAT, SHORT) for scene in (straight, aside))
    assert difference_db(a, b) <= -90


def test_left_and_right_change_places_in_a_mirror():
    middle = (PLACE_M[0], DIMENSIONS_M[1] / 2, PLACE_M[2])
    scene = DeviceInRoom(SPEAKER, Room("Even", DIMENSIONS_M, 0.3), middle)
    here = scene.ears(Seat((2.0, 0.4, 0.1), yaw_deg=15.0), SHORT)
    there = scene.ears(Seat((2.0, -0.4, 0.1), yaw_deg=-15.0), SHORT)
    left, right, center = (SPEAKER.index(channel) for channel in ("left", "right", "center"))
    assert difference_db(here[:, [left, right, center]], there[::-1][:, [right, left, center]]) <= -90


# Many seats


@pytest.mark.slow
@pytest.mark.parametrize("device", [SPEAKER, SOUNDBAR], ids=lambda device: device.slug)
def test_a_head_that_turns_in_one_place_hears_what_every_turn_would(device):
    scene = DeviceInRoom(device, ROOMS["living-room"], PLACE_M)
    turns = scene.place(SEAT, SHORT).ears([20.0, -45.0])
    for yaw_deg, heard in zip((20.0, -45.0), turns, strict=True):
        assert difference_db(heard, scene.ears(replace(SEAT, yaw_deg=yaw_deg), SHORT)) <= -100


@pytest.mark.slow
def test_another_head_can_listen_in_the_same_place():
    scene = DeviceInRoom(SOUNDBAR, ROOMS["living-room"], PLACE_M)
    kemar = load_head(KEMAR)
    place = scene.place(SEAT, SHORT)
    seat = replace(SEAT, head=kemar)
    heard = place.ears(SEAT.yaw_deg, head=kemar)[0]
    assert difference_db(heard, scene.ears(seat, SHORT)) <= -100


def test_progress_rises_to_one():
    seen = []
    scene = DeviceInRoom(SOUNDBAR, ANECHOIC, PLACE_M)
    scene.ears(SEAT, SHORT, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


# The reference


def test_reference_pair_stands_at_its_angles_around_the_line_of_sight():
    scene = DeviceInRoom(SPEAKER, ROOMS["living-room"], PLACE_M)
    seat = Seat((1.6, 0.3, 0.2), yaw_deg=50.0)
    reference = scene.reference(seat)
    sight = np.array([-1.6, -0.3])
    for driver, side in zip(reference.device.drivers, (1.0, -1.0), strict=True):
        away = np.array(driver.position_m) - seat.position_m
        assert away[2] == 0.0
        assert np.linalg.norm(away) == pytest.approx(np.hypot(1.6, 0.3))
        assert sight @ away[:2] / (sight @ sight) == pytest.approx(np.cos(np.pi / 6))
        # in the device's frame, seen from above, its y is to the right of what faces it
        assert np.sign(sight[1] * away[0] - sight[0] * away[1]) == side
    assert reference.position_m == scene.position_m


def test_reference_pair_is_heard_on_its_sides():
    scene = DeviceInRoom(SPEAKER, ROOMS["living-room"], PLACE_M)
    heard = scene.reference(Seat((1.8, 0.0, 0.0))).ears(Seat((1.8, 0.0, 0.0)), SHORT)
    energy = np.sum(heard[..., : round(0.0075 * SAMPLE_RATE)] ** 2, axis=-1)
    assert energy[0, 0] > 2 * energy[1, 0]
    assert energy[1, 1] > 2 * energy[0, 1]


# Bad input


@pytest.mark.parametrize(
    ("seat_m", "words"),
    [
        ((-1.0, 0.0, 0.0), r"seat.position_m = \[-1.0, 0.0, 0.0\]: behind the device, .* x must be above 0.1775"),
        ((0.1, 0.0, 0.0), "behind the device, or inside it"),
        ((5.0, 0.0, 0.0), r"seat.position_m = \[5.0, 0.0, 0.0\]: a head .* at \[5.5, 1.9, 1.1\] .* \[5.2, 4.1, 2.5\]"),
        ((2.0, 0.0, 1.35), "would not be inside"),
    ],
)
@pytest.mark.parametrize("way", ["ears", "place"])
def test_seats_where_nobody_can_sit_are_named(seat_m, words, way):
    scene = DeviceInRoom(SPEAKER, ROOMS["living-room"], PLACE_M)
    with pytest.raises(ValueError, match=words):
        scene.ears(Seat(seat_m), SHORT) if way == "ears" else scene.place(Seat(seat_m), SHORT)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DeviceInRoom(SPEAKER, ANECHOIC, (6.0, 1.0, 1.0)), "position_m = .*outside the room"),
        (lambda: DeviceInRoom(SPEAKER, ANECHOIC, (0.0, 1.0, 1.0)), "position_m = .*in a wall"),
        (
            lambda: DeviceInRoom(SPEAKER, ANECHOIC, (0.05, 1.0, 1.0)),
            r'position_m = \[0.05, 1.0, 1.0\]: driver "left", at .* with 0.09 m around it',
        ),
        (lambda: DeviceInRoom(SOUNDBAR, ANECHOIC, (1.0, 0.2, 1.0)), 'driver "left", at .* would not be inside'),
        (lambda: DeviceInRoom(load_device(DEVICES / "headphones.toml"), ANECHOIC, PLACE_M), "headphones"),
        (
            lambda: DeviceInRoom(SPEAKER, ANECHOIC, PLACE_M).reference(Seat((4.0, 0.0, 0.0))),
            r'reference pair at \+-30 degrees: .*driver "left", at',
        ),
        (lambda: Rendering(highest_hz=30_000.0), "highest_hz = 30000.0: must be within 0..24000"),
        (lambda: Rendering(leak_hz=-1.0), "leak_hz = -1.0: must be within 0..24000"),
    ],
)
def test_impossible_scenes_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
