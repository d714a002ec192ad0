"""Where sounds are heard: sources whose place is known, from series and closed forms of their own."""

import numpy as np
import pytest

from forestage.acoustics.head import Head
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.metrics import width
from forestage.metrics.localisation import LEVEL_HZ, TIME_HZ, Localiser
from sphere import HEAD_M, sphere_ears
from stub_design import pair, shipped, stub_design


@pytest.fixture(scope="module")
def listener():
    return Localiser.of(Head(), distance_m=2.0)


@pytest.mark.parametrize("azimuth_deg", [-50.0, -7.0, 0.0, 3.0, 21.0, 45.0, 57.0])
def test_real_source_is_heard_where_it_is(listener, azimuth_deg):
    time_deg = listener.time_azimuth_deg(sphere_ears(azimuth_deg, TIME_HZ))
    level_deg = listener.level_azimuth_deg(sphere_ears(azimuth_deg, LEVEL_HZ))
    assert time_deg == pytest.approx(azimuth_deg, abs=0.2)
    assert level_deg == pytest.approx(azimuth_deg, abs=0.3)


@pytest.mark.parametrize("delay_us", [50.0, 150.0, 300.0, 450.0])
def test_pure_delay_is_heard_between_kuhns_and_woodworths_angle(listener, delay_us):
    """A sphere delays low frequencies by 3 a/c sin(angle), high ones by a/c (angle + sin(angle))."""
    ears = np.stack([np.ones(len(TIME_HZ)), np.exp(-2e-6j * np.pi * TIME_HZ * delay_us)])
    travel_us = 1e6 * HEAD_M / SPEED_OF_SOUND_M_S
    angle = np.deg2rad(np.arange(0.0, 90.0, 0.1))
    low = np.rad2deg(np.arcsin(delay_us / (3 * travel_us)))
    high = np.rad2deg(np.interp(delay_us, travel_us * (angle + np.sin(angle)), angle))
    assert low < listener.time_azimuth_deg(ears) < high


def test_time_does_not_hear_level_and_level_does_not_hear_time(listener):
    louder = np.stack([2.0 * np.ones(len(TIME_HZ)), np.ones(len(TIME_HZ))])
    assert listener.time_azimuth_deg(louder) == pytest.approx(0.0, abs=1e-6)
    later = np.stack([np.ones(len(LEVEL_HZ)), np.exp(-2j * np.pi * LEVEL_HZ * 4e-4)])
    assert listener.level_azimuth_deg(later) == pytest.approx(0.0, abs=1e-6)


def test_colour_of_a_sound_does_not_move_it(listener):
    for azimuth_deg, frequency in ((listener.time_azimuth_deg, TIME_HZ), (listener.level_azimuth_deg, LEVEL_HZ)):
        ears = sphere_ears(30.0, frequency)
        assert azimuth_deg(ears * frequency**-2) == pytest.approx(azimuth_deg(ears), abs=0.3)


def test_swapped_ears_swap_the_side(listener):
    rng = np.random.default_rng(3)
    for azimuth_deg, frequency in ((listener.time_azimuth_deg, TIME_HZ), (listener.level_azimuth_deg, LEVEL_HZ)):
        ears = sphere_ears(25.0, frequency) * (1.0 + 0.2 * rng.standard_normal((2, len(frequency))))
        assert azimuth_deg(ears[::-1]) == pytest.approx(-azimuth_deg(ears), abs=1e-6)


def test_bands_whose_times_disagree_with_themselves_weigh_little(listener):
    """Random phases in a third of the band move the image of a source at 20 degrees by little."""
    rng = np.random.default_rng(4)
    ears = sphere_ears(20.0, TIME_HZ)
    spoilt = ears * np.where(TIME_HZ > 1000.0, np.exp(2j * np.pi * rng.random((2, len(TIME_HZ)))), 1.0)
    assert listener.time_azimuth_deg(spoilt) == pytest.approx(20.0, abs=3.0)


def test_several_sounds_are_located_at_once(listener):
    ears = np.stack([sphere_ears(azimuth_deg, TIME_HZ) for azimuth_deg in (-30.0, 0.0, 40.0)], axis=1)
    np.testing.assert_allclose(listener.time_azimuth_deg(ears), [-30.0, 0.0, 40.0], atol=0.2)


def test_plain_smart_speaker_collapses_to_3_degrees():
    """Its left driver reaches the ears 33 us apart, which is what the sphere makes of 3 degrees."""
    azimuth = width.side_azimuth_deg(shipped("smart-speaker"), [30.0])
    assert azimuth["time"]["plain"] == pytest.approx([3.0], abs=0.5)
    assert azimuth["time"]["processed"] == pytest.approx([11.4], abs=0.5), "its room takes the rest"


def test_real_pair_at_the_stage_width_sounds_like_one():
    """Two loudspeakers at +-25 degrees in plain stereo: both cues say 25."""
    angle = np.deg2rad(25.0)
    device = pair(x_m=2.0 - 2.0 * np.cos(angle), y_m=2.0 * np.sin(angle), distance_m=2.0)
    azimuth = width.side_azimuth_deg(stub_design(device), [30.0])
    assert azimuth["time"]["plain"] == pytest.approx([25.0], abs=0.3)
    assert azimuth["level"]["plain"] == pytest.approx([25.0], abs=0.3)


def correlation_by_hand(responses, *, centre_hz, frames=1 << 20):
    """Largest correlation within 1 ms of noise in an octave, in the time domain."""
    rng = np.random.default_rng(5)
    frequency = np.fft.rfftfreq(frames, 1 / 48_000)
    sources = np.fft.rfft(rng.standard_normal((2, frames))) * (
        np.abs(np.log2(np.maximum(frequency, 1.0) / centre_hz)) <= 0.5
    )
    left, right = np.fft.irfft(np.einsum("ecf,cf->ef", responses(frequency), sources), frames)
    lags = np.fft.irfft(np.fft.rfft(right) * np.fft.rfft(left).conj(), frames)
    return np.abs(np.concatenate([lags[:49], lags[-48:]])).max() / np.sqrt(np.sum(left**2) * np.sum(right**2))


@pytest.mark.slow
def test_coherence_is_the_correlation_of_noise():
    def responses(frequency):
        late = np.exp(-2j * np.pi * frequency * 3e-4)
        return np.array([[np.ones_like(late), 0.5 * late], [0.6 * late, 0.9 * np.ones_like(late)]])

    frequency = width.COHERENCE_HZ
    found = width.interaural_coherence(frequency, responses(frequency))
    expected = [correlation_by_hand(responses, centre_hz=hz) for hz in width.COHERENCE_OCTAVES_HZ]
    np.testing.assert_allclose(found, expected, atol=0.03)  # the noise is finite


@pytest.mark.parametrize("leak", [0.0, 0.25, 1.0])
def test_coherence_of_leaking_ears_has_its_closed_form(leak):
    ears = np.array([[1.0, leak], [leak, 1.0]])[..., None] * np.ones(len(width.COHERENCE_HZ))
    np.testing.assert_allclose(
        width.interaural_coherence(width.COHERENCE_HZ, ears), 2 * leak / (1 + leak**2), atol=1e-12
    )
