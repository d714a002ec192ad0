"""Is a measured head the head that was measured? A rigid sphere is, in files of any kind; and KEMAR is plausible."""

from pathlib import Path

import numpy as np
import pytest
import sofar
import soundfile

from forestage.acoustics.device_file import device_table, load_device, parse_device
from forestage.acoustics.head import Head
from forestage.acoustics.measured_head import MeasuredHead, load_head
from forestage.acoustics.plant import plant
from forestage.acoustics.seat import Seat
from measurements import change_sofa, grid_directions, ring_directions, sphere_head, write_sofa
from places import DEVICES

pytestmark = pytest.mark.slow

# Debian packages libmysofa1 and soundscaperenderer-common; ./run test installs them
KEMAR = Path("/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa")
RING_WAV = Path("/usr/share/ssr/impulse_responses/hrirs/hrirs_kemar.wav")
GRID = grid_directions(10.0, lowest_deg=-50.0)
FRONT_DEG = np.array([-80.0, -35.0, -10.0, 0.0, 22.0, 60.0])
FREQUENCY_HZ = np.geomspace(100.0, 10_000.0, 30)


def at_azimuth(azimuth_deg, *, distance_m: float = 2.0, elevation_deg: float = 0.0) -> np.ndarray:
    azimuth, elevation = np.deg2rad(np.atleast_1d(azimuth_deg)), np.deg2rad(elevation_deg)
    level = np.cos(elevation) * np.ones_like(azimuth)
    height = np.sin(elevation) * np.ones_like(azimuth)
    return distance_m * np.stack([level * np.cos(azimuth), level * np.sin(azimuth), height], axis=-1)


def level_error_db(head, source_m, frequency_hz) -> np.ndarray:
    """Level of a head over that of the sphere it was measured on, (2, k, n)."""
    return 20 * np.log10(np.abs(head.ears(frequency_hz, source_m) / Head().ears(frequency_hz, source_m)))


def interaural_s(head, source_m, frequency_hz) -> np.ndarray:
    """Interaural phase delay at each frequency, unwrapped from 100 Hz on, (k, n)."""
    fine = np.arange(100.0, np.max(frequency_hz) + 25.0, 25.0)
    left, right = head.ears(fine, source_m)
    delay = np.unwrap(np.angle(left / right), axis=-1) / (2 * np.pi * fine)
    return np.stack([np.interp(frequency_hz, fine, row) for row in delay])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("heads")


@pytest.fixture(scope="module", params=[44_100, 48_000])
def sphere(request, folder) -> MeasuredHead:
    file = sphere_head(GRID, sample_rate=request.param)
    return load_head(write_sofa(folder / f"sphere-{request.param}.sofa", file))


@pytest.fixture(scope="module")
def kemar() -> MeasuredHead:
    return load_head(KEMAR)


@pytest.mark.parametrize("distance_m", [0.5, 1.4, 3.0])
def test_sphere_that_was_measured_at_1_m_4_is_itself_at_any_distance(sphere, distance_m):
    """Directions between those of the grid; above 3.5 kHz, a grid of 10 degrees is too coarse for the far ear."""
    source = at_azimuth(FRONT_DEG, distance_m=distance_m)
    assert np.abs(level_error_db(sphere, source, np.geomspace(100.0, 3500.0, 40))).max() < 0.3
    treble = level_error_db(sphere, source, np.geomspace(3500.0, 12_000.0, 20))
    near = np.stack([FRONT_DEG > 5.0, FRONT_DEG < -5.0])
    assert np.abs(treble[near]).max() < 0.5


def test_interaural_delay_of_a_measured_sphere_is_its_own(sphere):
    frequency = np.array([200.0, 500.0, 1000.0, 2000.0])
    source = at_azimuth(FRONT_DEG)
    np.testing.assert_allclose(
        interaural_s(sphere, source, frequency), interaural_s(Head(), source, frequency), atol=2e-6
    )


def test_radius_of_a_measured_sphere_is_found(sphere):
    assert sphere.radius_m == pytest.approx(Head().radius_m, rel=0.001)


def test_ring_of_directions_serves_the_horizontal_plane(folder):
    ring = load_head(write_sofa(folder / "ring.sofa", sphere_head(ring_directions(5.0))))
    assert np.abs(level_error_db(ring, at_azimuth(FRONT_DEG), np.geomspace(100.0, 5000.0, 40))).max() < 0.5
    # A little above, it hears what comes at the same angle from the side.
    raised = level_error_db(ring, at_azimuth(FRONT_DEG, elevation_deg=10.0), np.geomspace(200.0, 4000.0, 20))
    assert np.abs(raised).max() < 1.0


def heads_alike(folder: Path, change) -> tuple[np.ndarray, np.ndarray]:
    """Ears of a head from a file, and from the same file after ``change``."""
    responses = []
    for name in ("before", "after"):
        sofa = sphere_head(ring_directions(5.0))
        if name == "after":
            change(sofa)
        head = load_head(write_sofa(folder / f"{name}.sofa", sofa))
        responses.append(head.ears(FREQUENCY_HZ, at_azimuth(FRONT_DEG)))
    return responses[0], responses[1]


def in_cartesian(sofa) -> None:
    sofa.SourcePosition = at_azimuth(sofa.SourcePosition[:, 0], distance_m=1.4)
    sofa.SourcePosition_Type, sofa.SourcePosition_Units = "cartesian", "meter"


def with_ears_swapped(sofa) -> None:
    sofa.Data_IR = sofa.Data_IR[:, ::-1]
    sofa.ReceiverPosition = sofa.ReceiverPosition[::-1]


def with_stated_delays(sofa) -> None:
    sofa.Data_IR = np.roll(sofa.Data_IR, -7, axis=-1)
    sofa.Data_Delay = np.array([[7.0, 7.0]])


def with_listener_turned_and_moved(sofa) -> None:
    """All azimuths 90 degrees less than the listener's own, who looks to -y."""
    world = np.deg2rad(sofa.SourcePosition[:, 0] - 90.0)
    middle = np.array([1.0, 2.0, 3.0])
    sofa.SourcePosition = 1.4 * np.stack([np.cos(world), np.sin(world), np.zeros_like(world)], axis=-1) + middle
    sofa.SourcePosition_Type, sofa.SourcePosition_Units = "cartesian", "metre"
    sofa.ListenerPosition, sofa.ListenerView = middle, np.array([0.0, -1.0, 0.0])


@pytest.mark.parametrize(
    "change", [in_cartesian, with_ears_swapped, with_stated_delays, with_listener_turned_and_moved]
)
def test_same_measurement_in_other_words_is_the_same_head(folder, change):
    before, after = heads_alike(folder, change)
    # Onsets between samples, and so the middle of the head, move by a microsecond with where a response begins.
    np.testing.assert_allclose(after, before, rtol=2e-3)


def test_radians_are_read_as_such(folder):
    sofa = sphere_head(ring_directions(5.0))
    head = load_head(write_sofa(folder / "degrees.sofa", sofa))
    degrees = sofa.SourcePosition * [np.pi / 180, np.pi / 180, 1.0]
    units = {"SourcePosition": degrees, "SourcePosition_Units": "radian, radian, metre"}
    again = load_head(change_sofa(folder / "degrees.sofa", **units))
    source = at_azimuth(FRONT_DEG)
    np.testing.assert_allclose(again.ears(FREQUENCY_HZ, source), head.ears(FREQUENCY_HZ, source), rtol=1e-6)


@pytest.mark.parametrize("azimuth_deg", [30.0, 60.0])
def test_kemars_interaural_delay_and_level_are_like_a_spheres(kemar, azimuth_deg):
    sphere, source = Head(kemar.radius_m), at_azimuth(azimuth_deg)
    frequency = np.array([400.0, 600.0, 800.0])
    np.testing.assert_allclose(
        interaural_s(kemar, source, frequency), interaural_s(sphere, source, frequency), rtol=0.15
    )
    band = np.geomspace(700.0, 3000.0, 40)
    level_db = [np.mean(20 * np.log10(np.abs(np.divide(*head.ears(band, source))))) for head in (kemar, sphere)]
    assert level_db[0] == pytest.approx(level_db[1], abs=4.0)
    assert level_db[0] > 3.0


def test_bass_that_kemars_loudspeaker_lacked_is_the_spheres(kemar):
    """Raw, the file is 8 dB weaker at 50 Hz than at 300 Hz."""
    source, frequency = at_azimuth(FRONT_DEG), np.array([20.0, 50.0, 120.0])
    change = np.abs(kemar.ears(frequency, source) / Head(kemar.radius_m).ears(frequency, source))
    np.testing.assert_allclose(20 * np.log10(change), 0.0, atol=1.0)
    np.testing.assert_allclose(change, change[:1, :1, :1].repeat(2, 0).repeat(len(FRONT_DEG), 1).repeat(3, 2))


def measured_kemar() -> tuple[np.ndarray, sofar.Sofa]:
    sofa = sofar.read_sofa(str(KEMAR), verify=False, verbose=False)
    azimuth, elevation = np.deg2rad(sofa.SourcePosition[:, :2].T)
    level = np.cos(elevation)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1), sofa


def test_directions_left_out_are_interpolated(folder):
    """Every seventh direction of KEMAR left out; each is then 5 to 10 degrees from the next."""
    directions, sofa = measured_kemar()
    level = np.flatnonzero(np.abs(directions[:, 2]) < np.sin(np.deg2rad(45.0)))[3::7]
    rest = np.setdiff1d(np.arange(len(directions)), level)
    thinned = sofar.Sofa("SimpleFreeFieldHRIR")
    thinned.Data_IR, thinned.SourcePosition = sofa.Data_IR[rest], sofa.SourcePosition[rest]
    thinned.Data_SamplingRate = 44_100.0
    head = load_head(write_sofa(folder / "thinned.sofa", thinned))
    frequency = np.array([500.0, 1000.0, 2000.0, 4000.0, 6000.0])
    ours = head.ears(frequency, head.distance_m * directions[level])
    taps = np.arange(sofa.Data_IR.shape[-1])
    expected = (sofa.Data_IR[level] @ np.exp(-2j * np.pi * np.outer(taps, frequency) / 44_100)).swapaxes(0, 1)
    change = 20 * np.log10(np.abs(ours / expected))
    error = change - np.median(change)
    near = np.stack([directions[level, 1] > 0.0, directions[level, 1] < 0.0])
    rms_db = [np.sqrt(np.mean(error[..., index] ** 2)) for index in range(len(frequency))]
    near_rms_db = [np.sqrt(np.mean(error[..., index][near] ** 2)) for index in range(len(frequency))]
    np.testing.assert_array_less(rms_db, [0.5, 0.5, 0.5, 1.5, 3.0])
    np.testing.assert_array_less(near_rms_db, [0.5, 0.5, 0.5, 0.5, 1.0])


def test_device_with_a_measured_listener_hears_it(kemar):
    table = device_table(load_device(DEVICES / "smart-speaker.toml"))
    table["listener"] = {"distance_m": 2.0, "head_sofa": KEMAR.name}
    device = parse_device(table, KEMAR.parent)
    assert device_table(device)["listener"] == table["listener"]
    seat, frequency = plant(device, step_hz=500.0), np.geomspace(200.0, 4000.0, 30)
    response = 20 * np.log10(np.abs(seat.at(frequency)))
    # KEMAR was mirrored, so that the device is symmetric too.
    np.testing.assert_allclose(response[0, 0], response[1, 1], atol=0.3)
    np.testing.assert_allclose(response[1, 0], response[0, 1], atol=1.0)
    sphere = plant(device, Seat((2.0, 0.0, 0.0), head=Head(kemar.radius_m)), step_hz=500.0)
    spheres = 20 * np.log10(np.abs(sphere.at(frequency)))
    assert np.mean(response[0, 0] - response[1, 0]) == pytest.approx(np.mean(spheres[0, 0] - spheres[1, 0]), abs=2.0)


@pytest.fixture(scope="module")
def ring_kemar(folder) -> MeasuredHead:
    """KEMAR of TU Berlin: a WAV file of 720 channels, (left, right) for each degree, measured at 3 m.

    Turned into a SOFA file as anyone would do it who has impulse responses in another form.
    """
    audio, sample_rate = soundfile.read(RING_WAV)
    sofa = sofar.Sofa("SimpleFreeFieldHRIR")
    sofa.Data_IR = audio.T.reshape(360, 2, -1)
    sofa.Data_SamplingRate = float(sample_rate)
    sofa.SourcePosition = np.stack([np.arange(360.0), np.zeros(360), np.full(360, 3.0)], axis=-1)
    return load_head(write_sofa(folder / "ring-kemar.sofa", sofa))


@pytest.mark.parametrize("azimuth_deg", [-60.0, -30.0, 30.0, 60.0])
def test_two_laboratories_measured_about_the_same_kemar(kemar, ring_kemar, azimuth_deg):
    """Other manikins, rooms, and loudspeakers; one of the two was mirrored from one ear."""
    source, frequency = at_azimuth(azimuth_deg), np.array([400.0, 600.0, 800.0])
    np.testing.assert_allclose(
        interaural_s(ring_kemar, source, frequency), interaural_s(kemar, source, frequency), atol=60e-6
    )
    band = np.geomspace(700.0, 3000.0, 40)
    levels_db = [np.mean(20 * np.log10(np.abs(np.divide(*head.ears(band, source))))) for head in (kemar, ring_kemar)]
    assert levels_db[0] == pytest.approx(levels_db[1], abs=3.0)


def test_ears_that_differ_stay_different(ring_kemar):
    """Mirrored sources are heard alike by a mirrored head alone."""
    band = np.geomspace(3000.0, 10_000.0, 40)
    from_left, from_right = (ring_kemar.ears(band, at_azimuth(azimuth_deg))[:, 0] for azimuth_deg in (40.0, -40.0))
    change = 20 * np.log10(np.abs(from_left[0] / from_right[1]))
    assert 0.3 < np.sqrt(np.mean(change**2)) < 4.0


@pytest.mark.parametrize(("step_deg", "limit_hz"), [(10.0, 4492.0), (15.0, 2995.0), (24.0, 1872.0)])
@pytest.mark.parametrize("kind", ["grid", "ring"])
def test_directions_tell_a_head_up_to_where_it_says(step_deg, limit_hz, kind, folder):
    """Within 1.5 dB at both ears between them up to there, and off by several dB an octave above."""
    directions = grid_directions(step_deg) if kind == "grid" else ring_directions(step_deg)
    head = load_head(write_sofa(folder / "coarse.sofa", sphere_head(directions)))
    assert head.highest_hz == pytest.approx(limit_hz, rel=0.15)
    points = at_azimuth(np.arange(-90.0, 91.0, 2.5))
    below, above = np.arange(200.0, head.highest_hz, 100.0), np.arange(1.8, 2.2, 0.1) * head.highest_hz
    assert np.abs(level_error_db(head, points, below)).max() < 1.5
    assert np.abs(level_error_db(head, points, above)).max() > 3.0
