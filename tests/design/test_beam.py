"""Does the exported centre beam reach its figures, and arrive together with left and right?"""

import numpy as np
import pytest

from designs import designed
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Body, Driver
from forestage.acoustics.plant import directivity
from forestage.acoustics.seat import Listener
from forestage.design.beam import BeamTarget, spread_on_off_db
from forestage.design.designer import design
from forestage.design.filters import SAMPLE_RATES
from forestage.design.result import Design
from forestage.metrics.directivity import on_off_db, pattern, white_noise_gain_db, window_db
from signals import transfer

AZIMUTH_DEG = np.arange(-110.0, 111.0, 2.5)
BAND_HZ = np.geomspace(300.0, 1250.0, 120)
ON_AXIS = len(AZIMUTH_DEG) // 2

pytestmark = pytest.mark.slow  # the whole search for a speaker of three drivers


@pytest.fixture(scope="module")
def finished() -> Design:
    return designed("smart-speaker")


def power(finished: Design, filters, frequency_hz) -> np.ndarray:
    """Power [azimuth, n] around the device for complex drives [driver, n or 1]."""
    field = directivity(finished.device, frequency_hz, AZIMUTH_DEG)
    return np.abs(np.einsum("daf,df->af", field, np.broadcast_to(filters, (3, len(frequency_hz))))) ** 2


def beam_power(finished: Design, frequency_hz, sample_rate=48_000) -> np.ndarray:
    filters = transfer(finished.filter_set(sample_rate).beam, frequency_hz, sample_rate)
    return power(finished, filters, frequency_hz)


def front_over_sides_db(p) -> np.ndarray:
    azimuth = np.abs(AZIMUTH_DEG)
    return 10 * np.log10(p[azimuth <= 45.0].mean(axis=0) / p[(azimuth >= 70.0) & (azimuth <= 110.0)].mean(axis=0))


def front_window_db(p) -> np.ndarray:
    return 10 * np.log10(p[np.abs(AZIMUTH_DEG) <= 45.0] / p[ON_AXIS])


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_front_is_9_db_over_the_sides(finished, sample_rate):
    assert front_over_sides_db(beam_power(finished, BAND_HZ, sample_rate)).min() >= 9.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_front_window_is_within_3_db_below_and_1_db_above(finished, sample_rate):
    window = front_window_db(beam_power(finished, BAND_HZ, sample_rate))
    assert window.min() >= -3.0
    assert window.max() <= 1.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_white_noise_gain_is_above_minus_6_db(finished, sample_rate):
    filters = transfer(finished.filter_set(sample_rate).beam, BAND_HZ, sample_rate)
    strongest = np.max(np.abs(directivity(finished.device, BAND_HZ, [0.0])[:, 0]) ** 2, axis=0)
    gain = beam_power(finished, BAND_HZ, sample_rate)[ON_AXIS] / np.sum(np.abs(filters) ** 2, axis=0) / strongest
    assert 10 * np.log10(gain.min()) >= -6.0


@pytest.mark.parametrize("mix", [(1, 1, 1), (1, 1, 0), (0, 0, 1)])
def test_beam_is_ahead_of_plain_mixes_everywhere(finished, mix):
    plain = front_over_sides_db(power(finished, np.array(mix)[:, None], BAND_HZ))
    assert np.all(front_over_sides_db(beam_power(finished, BAND_HZ)) > plain)


def test_sides_are_low_at_90_degrees(finished):
    p = beam_power(finished, BAND_HZ)
    side = p[np.isin(np.abs(AZIMUTH_DEG), [90.0])].max(axis=0)
    assert 10 * np.log10(np.max(side / p[ON_AXIS])) <= -10.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_on_axis_is_flat_at_the_level_of_plain_stereo(finished, sample_rate):
    frequency = np.geomspace(200.0, 16_000.0, 200)
    level = 10 * np.log10(beam_power(finished, frequency, sample_rate)[ON_AXIS])
    bass = 10 * np.log10(power(finished, np.array([[1.0], [1.0], [0.0]]), np.array([100.0]))[ON_AXIS, 0])
    assert np.max(np.abs(level - bass)) < 1.0


def test_mono_is_flat_on_axis_within_1_db(finished):
    """100 Hz to 10 kHz, of the exported filters, whatever the common level."""
    level = 10 * np.log10(beam_power(finished, np.geomspace(100.0, 10_000.0, 300))[ON_AXIS])
    assert np.ptp(level) / 2 < 0.6


def test_spread_of_drivers_costs_95_of_100_devices_at_most_1_5_db(finished):
    """0.5 dB and 3 degrees, standard deviations."""
    filters = transfer(finished.filter_set().beam, BAND_HZ, 48_000)
    field = directivity(finished.device, BAND_HZ, AZIMUTH_DEG)
    spread = spread_on_off_db(field, filters, AZIMUTH_DEG, spread_db=0.5, spread_deg=3.0)
    lost = front_over_sides_db(beam_power(finished, BAND_HZ)) - np.percentile(spread, [50, 5], axis=0)
    assert lost[0].max() < 0.5
    assert lost[1].max() < 1.5


def test_bass_is_shared_by_all_drivers_without_extra_drive(finished):
    filters = transfer(finished.filter_set().beam, np.array([40.0]), 48_000)[:, 0]
    level = np.sqrt(beam_power(finished, np.array([40.0]))[ON_AXIS, 0])
    plain = np.sqrt(power(finished, np.array([[1.0], [1.0], [0.0]]), np.array([40.0]))[ON_AXIS, 0])
    assert 20 * np.log10(level / plain) == pytest.approx(0.0, abs=1.5)
    assert 20 * np.log10(np.max(np.abs(filters))) < 0.0
    assert 20 * np.log10(np.min(np.abs(filters))) > -6.0


def test_side_drivers_rest_above_the_band(finished):
    treble = transfer(finished.filter_set().beam, np.geomspace(3500.0, 18_000.0, 50), 48_000)
    assert 20 * np.log10(np.max(np.abs(treble[:2]))) < -20.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_pattern_is_the_same_at_all_rates(finished, sample_rate):
    """Everywhere above -20 dB of the axis; below, a null of -40 dB may become one of -35 dB."""
    frequency = np.geomspace(100.0, 8000.0, 200)
    here, there = (beam_power(finished, frequency, rate) for rate in (sample_rate, 48_000))
    audible = there > 0.01 * there[ON_AXIS]
    assert np.mean(audible) > 0.8
    assert np.max(np.abs(10 * np.log10(here / there))[audible]) < 0.5
    difference = front_over_sides_db(here) - front_over_sides_db(there)
    assert np.max(np.abs(difference)) < 0.5


def first_ear_responses(finished: Design, sample_rate: int) -> dict[str, np.ndarray]:
    """Impulse responses at both ears of the three paths, alignment delays included."""
    filters = finished.filter_set(sample_rate)
    frames = 8192
    frequency = np.fft.rfftfreq(frames, 1 / sample_rate)
    band = (frequency > 100.0) & (frequency < 20_000.0)
    plant = finished.plant.at(frequency)
    delay = np.exp(-2j * np.pi * frequency / sample_rate)
    left, right = (np.fft.rfft(filters.cancel[:, channel], frames) for channel in (0, 1))
    centre = np.fft.rfft(filters.beam, frames) * delay**filters.beam_align_frames
    left, right = (path * delay**filters.cancel_align_frames for path in (left, right))
    paths = {"left": left, "right": right, "centre": centre}
    return {
        name: np.fft.irfft(band * np.einsum("edf,df->ef", plant, path) * delay**100, frames)
        for name, path in paths.items()
    }


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_left_right_and_centre_arrive_together_to_the_frame(finished, sample_rate):
    arrivals = first_ear_responses(finished, sample_rate)
    near = {"left": arrivals["left"][0], "right": arrivals["right"][1]}
    centre = arrivals["centre"]

    def lag(a, b) -> int:
        frames = len(a)
        correlation = np.fft.irfft(np.fft.rfft(a) * np.conj(np.fft.rfft(b)))
        return (int(np.argmax(correlation)) + frames // 2) % frames - frames // 2

    assert lag(near["left"], near["right"]) == 0
    assert lag(near["left"], centre[0]) == 0
    assert lag(near["right"], centre[1]) == 0
    assert finished.filter_set(sample_rate).beam_align_frames > 5 * sample_rate / 48_000


def on_axis_lead(finished: Design, sample_rate: int) -> tuple[float, float]:
    """How much earlier than plain stereo the beam is on axis, in seconds, and how far from a pure delay in degrees."""
    frequency = np.geomspace(200.0, 8000.0, 200)
    filters = finished.filter_set(sample_rate)
    field = directivity(finished.device, frequency, [0.0])[:, 0]
    beam = np.sum(field * transfer(filters.beam, frequency, sample_rate), axis=0)
    beam *= np.exp(2j * np.pi * frequency * (filters.delay_frames - filters.beam_align_frames) / sample_rate)
    phase = np.unwrap(np.angle(beam / (field[0] + field[1])))
    early_s = np.polyfit(2 * np.pi * frequency, phase, 1)[0]
    return early_s, np.max(np.abs(np.rad2deg(phase - 2 * np.pi * frequency * early_s)))


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_beam_on_axis_is_plain_stereo_earlier_by_half_its_interaural_delay(finished, sample_rate):
    early_s, phase_error_deg = on_axis_lead(finished, sample_rate)
    plant = finished.plant.at(np.linspace(1000.0, 8000.0, 200))
    phase = np.unwrap(np.angle(plant[0, 0] / plant[1, 0]))
    itd_s = np.polyfit(2 * np.pi * np.linspace(1000.0, 8000.0, 200), phase, 1)[0]
    assert early_s == pytest.approx(itd_s / 2, abs=4e-6)
    assert early_s == pytest.approx(on_axis_lead(finished, 48_000)[0], abs=0.3e-6)
    assert phase_error_deg < 8.0


def test_device_without_centre_has_no_beam():
    filters = designed("laptop").filter_set()
    assert len(filters.beam) == 0
    assert filters.beam_align_frames == filters.cancel_align_frames == 0


def test_driver_that_faces_away_is_not_forced_to_be_flat():
    """A driver on top reaches the listener weakly in the treble; its filter stays below 12 dB and in reason."""
    drivers = (
        Driver("left", "left", azimuth_deg=60.0, cap_half_angle_deg=16.0),
        Driver("right", "right", azimuth_deg=-60.0, cap_half_angle_deg=16.0),
        Driver("top", "center", azimuth_deg=0.0, elevation_deg=90.0, cap_half_angle_deg=16.0),
    )
    upward = design(Device("Up", drivers, Listener(1.0), Body(0.12)), sample_rates=[48_000], render=None)
    gain = np.abs(transfer(upward.filter_set().beam, np.geomspace(20.0, 20_000.0, 500), 48_000))
    assert 20 * np.log10(gain.max()) < 13.0
    assert 20 * np.log10(gain[2].max()) > 10.0


def test_metrics_agree_with_the_figures_here(finished):
    filters = finished.filter_set()
    pressure = pattern(finished.device, filters.beam, BAND_HZ, sample_rate=48_000, azimuth_deg=AZIMUTH_DEG)
    p = beam_power(finished, BAND_HZ)
    np.testing.assert_allclose(np.abs(pressure) ** 2, p, rtol=1e-6)
    np.testing.assert_allclose(on_off_db(pressure, AZIMUTH_DEG), front_over_sides_db(p))
    low, high = window_db(pressure, AZIMUTH_DEG)
    np.testing.assert_allclose(low, front_window_db(p).min(axis=0))
    np.testing.assert_allclose(high, front_window_db(p).max(axis=0), atol=1e-12)
    one = white_noise_gain_db(finished.device, [[0.0], [0.0], [1.0]], [1000.0], sample_rate=48_000)
    np.testing.assert_allclose(one, 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"band_hz": (1600.0, 280.0)}, "band"),
        ({"judged_hz": (0.0, 1000.0)}, "judged_hz"),
        ({"flat_hz": (100.0, 30_000.0)}, "flat_hz"),
        ({"fade_octaves": 0.0}, "fade_octaves"),
        ({"window_db": (0.5, 1.0)}, "window_db"),
        ({"null_deg": ()}, "null_deg"),
        ({"null_deg": (10.0,)}, "null_deg"),
        ({"null_derivatives": 4}, "null_derivatives"),
        ({"spread_db": -1.0}, "spread_db"),
        ({"null_width": np.inf}, "null_width"),
    ],
)
def test_target_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        BeamTarget(**values)
