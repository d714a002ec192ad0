"""What a room makes of the cancellation, by the image model, which the design does not know."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from forestage import design, load_device
from forestage.acoustics.device import Device
from forestage.acoustics.device_in_room import SCATTERING, DeviceInRoom, Rendering
from forestage.acoustics.driver import Driver
from forestage.acoustics.driver_response import feed_responses
from forestage.acoustics.image_sources import Images
from forestage.acoustics.plant import plant
from forestage.acoustics.seat import Listener
from forestage.acoustics.shoebox import ROOMS
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.design.cancel import CancelTarget, cancel_problem, solve
from forestage.design.cancel.beside import kept_beside
from forestage.design.cancel.firs import SOLVE_HZ, Solution, cancel_firs, guarded
from forestage.design.cancel.robust import minimax
from forestage.design.cancel.room import Reverberation, RoomTarget
from forestage.design.filters import delay_for
from forestage.design.virtual_pair import (
    CROSSTALK_DELAY_S,
    VirtualPair,
    closed_form_far_ear,
    crosstalk_firs,
    crosstalk_weight,
)
from forestage.design.zone import Zone
from forestage.firs import response_of
from forestage.metrics.bands import OCTAVE_EDGES_HZ
from forestage.metrics.chain import Chain
from forestage.metrics.room import onset_frame
from forestage.metrics.zone import FREQUENCY_HZ, line_of_seats, seat_responses, seat_separation_db
from places import DEVICES

RATE = 16_000
FILTER_RATE = 48_000
RENDERING = Rendering(0.4, RATE, 6400.0, Images(until_s=0.05, scattering=SCATTERING))
AHEAD_FRAMES = round(0.01 * RATE)
FRAMES = next_fast_len(round(0.4 * RATE) + 8 * AHEAD_FRAMES, real=True)
BIN_HZ = rfftfreq(FRAMES, 1 / RATE)
# Octaves from 200 Hz on
MOST_LOSS_DB = np.array([9.0, 9.0, 6.0, 6.0, 6.0])


@cache
def solved(name, *, is_free=False):
    device = load_device(DEVICES / f"{name}.toml")
    target = CancelTarget().in_free_field() if is_free else CancelTarget()
    problem = cancel_problem(device, plant(device), SOLVE_HZ, target=target)
    return device, guarded(Solution(problem, solve(problem, "minimax")))


@cache
def exported(name):
    """Responses of the exported filters: cancellation alone, and with the pair, as functions of frequency."""
    _, solution = solved(name)
    firs = cancel_firs(solution, sample_rate=FILTER_RATE)
    weights = crosstalk_firs(solution, VirtualPair(), sample_rate=FILTER_RATE)

    def cancelled(frequency_hz):
        return response_of(firs, frequency_hz, sample_rate=FILTER_RATE, delay_frames=delay_for(FILTER_RATE))

    def staged(frequency_hz):
        delay = delay_for(FILTER_RATE, delay_s=CROSSTALK_DELAY_S)
        weight = response_of(weights, frequency_hz, sample_rate=FILTER_RATE, delay_frames=delay)
        alone = cancelled(frequency_hz)
        return alone + alone[:, ::-1] * weight * closed_form_far_ear(30.0, frequency_hz)

    return cancelled, staged


def with_pair(solution):
    """Weights of a sound in the left channel, shape (drivers, n)."""
    far = crosstalk_weight(solution, VirtualPair())[0] * closed_form_far_ear(30.0, SOLVE_HZ)
    return solution.weights[:, 0] + far * solution.weights[:, 1]


@cache
def heard_in_room(name):
    """Ears and what is direct of them, shape (2, drivers, frames), at two places of the dry living room."""
    device = load_device(DEVICES / f"{name}.toml")
    room = ROOMS["living-room"]
    found = []
    for aside in (0.46, 0.6):
        here = DeviceInRoom(device, room, (0.45, aside * room.dimensions_m[1], 1.0))
        open_air = replace(here, room=replace(room, absorption=np.array(1.0)))
        found.append(tuple(each.ears(device.listener.seat, RENDERING) for each in (here, open_air)))
    return found


def played(name, filters):
    """Ears and direct sound of a sound in the left channel, shape (2 ears, frames), for each place."""
    late = np.exp(-2j * np.pi * BIN_HZ * AHEAD_FRAMES / RATE)
    feeds = filters[:, 0] * feed_responses(load_device(DEVICES / f"{name}.toml"), BIN_HZ) * late
    for responses in heard_in_room(name):
        yield tuple(irfft(np.einsum("edf,df->ef", rfft(each, FRAMES), feeds), FRAMES) for each in responses)


def octave_energy(signal):
    power = np.abs(rfft(signal)) ** 2
    frequency = rfftfreq(signal.shape[-1], 1 / RATE)
    edges = zip(OCTAVE_EDGES_HZ[:-1], OCTAVE_EDGES_HZ[1:], strict=True)
    return np.stack([power[..., (low <= frequency) & (frequency < high)].sum(axis=-1) for low, high in edges], axis=-1)


def drr_db(name, filters):
    each = [
        10 * np.log10(octave_energy(direct).sum(axis=0) / octave_energy(ears - direct).sum(axis=0))
        for ears, direct in played(name, filters)
    ]
    return np.mean(each, axis=0)


def plain_stereo(name):
    gains = load_device(DEVICES / f"{name}.toml").plain_gains
    return np.repeat(gains[:, :, None].astype(complex), len(BIN_HZ), axis=-1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["smart-speaker", "soundbar-7"])
def test_hard_panned_sound_stays_near(name):
    """Without a room the design loses 9 to 14 dB of direct over reverberant sound, in every octave up to 3.2 kHz."""
    _, staged = exported(name)
    loss_db = drr_db(name, plain_stereo(name)) - drr_db(name, staged(BIN_HZ))
    assert np.all(loss_db <= MOST_LOSS_DB), loss_db.round(1)


@pytest.mark.slow
def test_soundbar_keeps_the_ears_apart_for_5_ms():
    """3 dB or more above 800 Hz; two or three of the octaves have less when the room is left out."""
    cancelled, _ = exported("soundbar-7")
    separation_db = []
    for ears, direct in played("soundbar-7", cancelled(BIN_HZ)):
        after_ms = (np.arange(FRAMES) - onset_frame(direct)) * 1e3 / RATE
        near, far = octave_energy(ears * np.clip((5.0 - after_ms) / 1.25, 0.0, 1.0))
        separation_db.append(10 * np.log10(near / far))
    assert np.all(np.mean(separation_db, axis=0)[2:] >= 3.0), separation_db


@pytest.mark.slow
def test_centre_is_as_near_as_in_plain_stereo_and_does_not_stand_further_in_front_of_the_sides():
    """The beam alone would be 3 to 4 dB nearer, in front of sides that pay for their width with reverberation."""
    name = "smart-speaker"
    finished = design(load_device(DEVICES / f"{name}.toml"), sample_rates=[FILTER_RATE], render=None)
    chain = Chain.of(finished, BIN_HZ)
    center_db, beam_db, plain_db = (
        drr_db(name, each[:, None]) for each in (chain.center, chain.flat_center, chain.plain_center)
    )
    assert np.mean(beam_db) > np.mean(plain_db) + 3.0
    np.testing.assert_allclose(np.mean(center_db), np.mean(plain_db), atol=1.0)
    assert np.all(center_db > plain_db - 1.5)


@pytest.mark.slow
def test_laptop_is_near_enough_to_be_left_alone():
    """The same formula says so, not its name: at 0.5 m the room is far below the direct sound."""
    _, in_room = solved("laptop")
    _, in_the_open = solved("laptop", is_free=True)
    band = (SOLVE_HZ > 200.0) & (SOLVE_HZ < 6400.0)
    here, there = (with_pair(each)[:, band] for each in (in_room, in_the_open))
    assert np.sqrt(np.mean(np.abs(here - there) ** 2) / np.mean(np.abs(there) ** 2)) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least_db"), [("smart-speaker", -2.3), ("soundbar-7", -4.0)])
def test_image_hardly_turns_over_beside_the_zone(name, least_db):
    """Up to a fifth of the distance beside the seat; -3 and -9 dB where these places are left alone."""
    device, _ = solved(name)
    cancelled, _ = exported(name)
    seats = line_of_seats(device, device.listener.distance_m, np.arange(0.04, 0.21, 0.02) * device.listener.distance_m)
    beside_db = seat_separation_db(seat_responses(device, seats, FREQUENCY_HZ), cancelled(FREQUENCY_HZ), FREQUENCY_HZ)
    assert beside_db.min() > least_db


def octave_means(values_db):
    edges = zip(OCTAVE_EDGES_HZ[:-1], OCTAVE_EDGES_HZ[1:], strict=True)
    return np.stack([values_db[..., (low <= SOLVE_HZ) & (high > SOLVE_HZ)].mean(axis=-1) for low, high in edges], -1)


def separation_db(response, weights):
    """In the mean over octaves of the channel that has less, at heads (k, 2, drivers, n), shape (k,)."""
    power = np.abs(np.einsum("kedf,dcf->kecf", response, weights)) ** 2
    near_over_far = np.stack([power[:, 0, 0] / power[:, 1, 0], power[:, 1, 1] / power[:, 0, 1]])
    return octave_means(10 * np.log10(near_over_far)).min(axis=0).mean(axis=-1)


@pytest.mark.slow
def test_what_is_wanted_beside_the_zone_is_reached_for_a_decibel_at_the_seat_at_most():
    device = load_device(DEVICES / "tv.toml")
    problem = cancel_problem(device, plant(device), SOLVE_HZ, target=CancelTarget())
    designed = np.stack([minimax(problem, channel) for channel in range(2)], axis=1)
    assert separation_db(problem.beside, designed).min() < problem.beside_least_db - 0.2
    kept = kept_beside(problem, designed)
    assert separation_db(problem.beside, kept).min() > problem.beside_least_db - 0.05
    lost_db = separation_db(problem.response[:1], designed) - separation_db(problem.response[:1], kept)
    assert 0.0 < lost_db <= 1.05
    # What asks for more than it may cost gets as much as it may, and what asks for nothing is left alone
    dear = kept_beside(replace(problem, beside_least_db=3.0, beside_cost_db=0.3), designed)
    assert 0.0 < separation_db(problem.response[:1], designed) - separation_db(problem.response[:1], dear) <= 0.35
    np.testing.assert_allclose(kept_beside(replace(problem, beside_least_db=-6.0), designed), designed, rtol=1e-12)


def test_more_reverberant_room_asks_for_more():
    """Of the same device, in a room of twice the reverberation time, less may be radiated for the far ears."""
    device = load_device(DEVICES / "soundbar-3.toml")
    power = []
    for rt60_s in (0.2, 0.8):
        listener = replace(device.listener, room_rt60_s=rt60_s)
        target = CancelTarget(zone=Zone(beside_db=None))
        problem = cancel_problem(replace(device, listener=listener), plant(device), [2000.0], target=target)
        weights = solve(problem, "minimax")
        power.append(problem.room.at_an_ear(weights)[0, 0].real / problem.room.at_an_ear(problem.plain)[0, 0].real)
    assert power[1] < 0.8 * power[0]


def test_reverberation_of_points_is_that_of_a_diffuse_field():
    """Two points a distance d apart share sin(kd) / kd of their power; energies are those of Sabine's room."""
    drivers = (Driver("l", "left", (0.0, 0.1, 0.0)), Driver("r", "right", (0.0, -0.1, 0.0)))
    listener = Listener(1.5, room_m3=80.0, room_rt60_s=0.6)
    frequency = np.array([200.0, 900.0, 2500.0])
    room = Reverberation.of(Device("Pair", drivers, listener), frequency, RoomTarget())
    absorption_m2 = 0.161 * 80.0 / 0.6
    alone = 16.0 * np.pi / absorption_m2
    shared = alone * np.sinc(2.0 * frequency / SPEED_OF_SOUND_M_S * 0.2)
    np.testing.assert_allclose(room.power[:, 0, 0].real, alone, rtol=0.02)
    np.testing.assert_allclose(room.power[:, 0, 1].real, shared, atol=0.02 * alone)
    assert listener.omni_critical_m == pytest.approx(alone**-0.5, rel=0.01)
