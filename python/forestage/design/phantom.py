"""The centre as left and right make it between them, played by the beam.

The upmix takes C out of both channels, so what it leaves at an ear is complete only if C arrives there as the sum of
left and right would: in spectrum, phase and time. With s the ears of the sides' filters, both channels alike, and b
those of a beam with weights w, the phantom is

    w g + v        g = b^H s / b^H b

with v, of least drive, for what g leaves of s: nothing where both ears of the seat hear the beam alike. The pattern of
the beam stays, but where it hardly reaches the ears: there both channels play C, as on a device that does not beam.

In a room a beam stands in front of sides that pay for their width with reverberation. So there w goes from the beam to
plain stereo, with the same ears, until the centre has no more direct over reverberant sound than the sides and some dB,
or than two loudspeakers.

What a driver with a limit of its own may not play others play, as far as they reach the ears; what is then left is left
out: the centre gives way.

Above the bass the sides of a device may not be apart enough to sound together as a pair does; there s gets the level
that a pair has for the centre.
"""

from __future__ import annotations

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.driver_response import room_db
from forestage.acoustics.pair import pair_ears
from forestage.acoustics.plant import Plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.design.beam import BeamPlan
from forestage.design.beam.plan import HIGHEST_HZ
from forestage.design.cancel import CancelProblem
from forestage.design.cancel.room import Reverberation
from forestage.design.filters import MASTER_RATE, delay_for, fit_firs, grid_for, log_fade, taps_for
from forestage.design.near_ear import even_plain
from forestage.design.skew import GRID_HZ
from forestage.metrics.bands import octave_window, smoothed_db

# Most gain of a driver: what the beam would take beyond is left to the sides, and then left out: the centre gives way
MOST_GAIN = 4.0
# Of the mean power that reaches the ears: what least drive is regularised with, and filters by themselves
LOADING, OWN_SHARE = 0.05, 0.05
# Steps in which drivers take over what limited ones may not play, with how much loading, and what filters are left
LIMIT_STEPS, LIMIT_LOADING, LIMIT_MARGIN = 8, 1e-3, 10.0 ** (-0.1 / 20)
# Errors count at the ears of the seat, and less by what they do to the pattern
PATTERN_SHARE = 0.1
PATTERN_DEG = np.arange(-110.0, 111.0, 10.0)
# How much of the beam is left in a room: nearness is heard over octaves, filters follow shares that change slowly
NEARNESS_OCTAVES, SHARE_OCTAVES = 1.0, 1 / 3
SHARES = np.linspace(0.0, 1.0, 41)
# From where on the level of a pair counts more than that of the sides, and how far it may be from theirs
LEVELLED_HZ, LEVELLED_OCTAVES, MOST_LEVELLED_DB = (300.0, 600.0), 1 / 3, 9.0


def phantom_weights(seat: ComplexArray, beam: ComplexArray, sides: ComplexArray) -> ComplexArray:
    """Weights of all drivers, shape (drivers, n).

    Parameters
    ----------
    seat : ndarray of complex, shape (2, drivers, n)
        From drivers to ears.
    beam : ndarray of complex, shape (drivers, n)
        Weights of the beam.
    sides : ndarray of complex, shape (drivers, n)
        Weights of both channels together, with the virtual pair inside.
    """
    wanted, heard = (np.einsum("edf,df->ef", seat, weights) for weights in (sides, beam))
    gain = np.sum(heard.conj() * wanted, axis=0) / np.maximum(np.sum(np.abs(heard) ** 2, axis=0), 1e-30)
    left = wanted - gain * heard
    power = np.einsum("edf,gdf->feg", seat, seat.conj())
    power += LOADING * np.trace(power, axis1=1, axis2=2).real[:, None, None] / 2 * np.eye(2)
    added = np.einsum("edf,fe->df", seat.conj(), np.linalg.solve(power, left.T[..., None])[..., 0])
    weights = gain * beam + added
    share = _share_within(weights, MOST_GAIN)
    weights = share * weights + (1.0 - share) * sides
    return _share_within(weights, MOST_GAIN) * weights


def _share_within(weights: ComplexArray, most: float) -> FloatArray:
    """Share of weights (drivers, n) that stays below a gain, softly, shape (n,)."""
    share: FloatArray = (1.0 + (np.abs(weights).max(axis=0) / most) ** 24) ** (-1.0 / 24.0)
    return share


def within_limits(seat: ComplexArray, weights: ComplexArray, most: FloatArray) -> ComplexArray:
    """Weights of which no driver gets more than it may, the ears of the seat as alike as that lets them.

    Parameters
    ----------
    seat : ndarray of complex, shape (2, drivers, n)
        From drivers to ears.
    weights : ndarray of complex, shape (drivers, n)
        What is wanted.
    most : ndarray, shape (drivers, n)
        Most gain of each driver; infinite without a limit.
    """
    wanted = np.einsum("edf,df->ef", seat, weights)
    held = _clipped(weights, most)
    for _ in range(LIMIT_STEPS):
        missing = wanted - np.einsum("edf,df->ef", seat, held)
        free = seat * (np.abs(held) < most)
        power = np.einsum("edf,gdf->feg", free, free.conj())
        load = np.maximum(LIMIT_LOADING * np.trace(power, axis1=1, axis2=2).real, 1e-30)
        power += load[:, None, None] * np.eye(2)
        added = np.einsum("edf,fe->df", free.conj(), np.linalg.solve(power, missing.T[..., None])[..., 0])
        held = _clipped(held + added, most)
    return held


def _clipped(weights: ComplexArray, most: FloatArray) -> ComplexArray:
    return weights * np.minimum(1.0, most / np.maximum(np.abs(weights), 1e-30))


def beam_shares(
    problem: CancelProblem,
    room: Reverberation,
    device: Device,
    sides: ComplexArray,
    plain: ComplexArray,
    beamed: ComplexArray,
) -> FloatArray:
    """How much of the beam the room leaves, shape (n,), on the grid of a problem as far as the weights go.

    Parameters
    ----------
    problem : CancelProblem
        Seat and plain stereo.
    room : Reverberation
        Its room.
    device : Device
        The device, for its listener.
    sides : ndarray of complex, shape (drivers, 2, n)
        Weights of a sound in either channel, with the virtual pair inside.
    plain, beamed : ndarray of complex, shape (drivers, n)
        Weights of the centre with the pattern of plain stereo, and with that of the beam.
    """
    count = plain.shape[-1]
    frequency, power = problem.frequency_hz[:count], room.power[:count]
    window = octave_window(frequency, NEARNESS_OCTAVES)

    def around(weights: ComplexArray) -> FloatArray:
        heard: FloatArray = np.einsum("d...f,fde,e...f->...f", weights.conj(), power, weights, optimize=True).real
        return heard

    def direct(weights: ComplexArray) -> FloatArray:
        ears = np.einsum("edf,d...f->e...f", problem.response[0, ..., :count], weights)
        heard: FloatArray = np.sum(np.abs(ears) ** 2, axis=0)
        return heard

    of_sides = around(sides).sum(axis=0) @ window.T / (direct(sides).sum(axis=0) @ window.T)
    unaided = problem.plain[..., :count].sum(axis=1)
    pair = np.sum(np.abs(pair_ears(device.listener, frequency).sum(axis=1)) ** 2, axis=0)
    of_pair = 2.0 / device.listener.omni_critical_m**2 * window.sum(axis=1) / (pair @ window.T)
    of_plain = around(unaided) @ window.T / (direct(unaided) @ window.T)
    wanted = np.minimum(room.lead * of_sides, np.maximum(of_pair, of_plain)) * direct(plain)
    reached = around(plain[:, None] + SHARES[:, None] * (beamed - plain)[:, None])
    share = SHARES[np.argmin(np.abs(np.log(reached / wanted)), axis=0)]
    smooth = octave_window(frequency, SHARE_OCTAVES)
    return smooth @ share / smooth.sum(axis=1)


def phantom_firs(
    device: Device,
    seat: Plant,
    sides: FloatArray,
    far_over_near: ComplexArray,
    plan: BeamPlan | None,
    problem: CancelProblem,
) -> FloatArray:
    """Fitted filters at the highest rate, shape (drivers, taps), to be played with the plan's alignment delays.

    Parameters
    ----------
    device : Device
        The device, for its listener.
    seat : Plant
        From drivers to ears.
    sides : ndarray, shape (drivers, 2, taps)
        Filters of the cancellation, at the highest rate.
    far_over_near : ndarray of complex, shape (2, bins)
        What of the (left, right) channel the virtual pair plays into the other one, on the grid of that rate.
    plan : BeamPlan, optional
        The beam, of a device that has one.
    problem : CancelProblem
        That of the cancellation, for its room.
    """
    frequency = grid_for(MASTER_RATE)
    held = np.minimum(np.arange(len(frequency)), np.searchsorted(frequency, HIGHEST_HZ))
    heard_hz = frequency[held]
    rows = seat.at(heard_hz)
    late = np.exp(2j * np.pi * frequency * delay_for(MASTER_RATE) / MASTER_RATE)
    played = np.fft.rfft(sides, 2 * (len(frequency) - 1), axis=-1) * late
    staged = (played + played[:, ::-1] * far_over_near)[..., held]
    mono: ComplexArray = staged.sum(axis=1)
    if not device.is_headphones:
        mono = mono * 10.0 ** (_levelled_db(device, np.einsum("edf,dcf->ecf", rows, staged), heard_hz) / 20)
    wanted, advance_s = mono, 0.0
    if plan is not None:
        wanted = phantom_weights(rows, plan.array.to_drivers(plan.responses(heard_hz)), mono)
        if problem.room is not None:
            at = np.searchsorted(heard_hz, problem.frequency_hz[problem.frequency_hz < HIGHEST_HZ])
            plain = phantom_weights(rows, even_plain(device, seat, heard_hz).sum(axis=1), mono)
            share = beam_shares(problem, problem.room, device, staged[..., at], plain[:, at], wanted[:, at])
            wanted = plain + np.interp(heard_hz, heard_hz[at], share) * (wanted - plain)
        advance_s = plan.advance_s(MASTER_RATE)
    if problem.limited_drivers:
        most = 10.0 ** (np.stack([room_db(driver, heard_hz) for driver in device.drivers]) / 20)
        wanted = within_limits(rows, wanted, LIMIT_MARGIN * most)
    power = np.mean(np.abs(rows) ** 2)
    kernel = np.einsum("edf,egf->dgf", rows.conj(), rows) / power
    if plan is not None:
        around = plan.array.pattern(heard_hz, PATTERN_DEG)
        kernel += PATTERN_SHARE / len(PATTERN_DEG) * np.einsum("daf,eaf->def", around.conj(), around) / power
    kernel += OWN_SHARE * np.eye(len(wanted))[:, :, None]
    kernel /= np.sqrt(np.clip(frequency, 100.0, 20_000.0))
    return fit_firs(
        wanted * np.exp(2j * np.pi * frequency * advance_s),
        kernel=kernel,
        taps=taps_for(MASTER_RATE),
        delay_frames=delay_for(MASTER_RATE),
    )


def _levelled_db(device: Device, ears: ComplexArray, frequency_hz: FloatArray) -> FloatArray:
    """Gain of the centre over both sides together that gives it its level before a pair, shape (n,).

    Over the power of near ears, which are alike, so that sides that lack treble have a centre that does.
    """
    pair = pair_ears(device.listener, GRID_HZ)
    inside = np.clip(frequency_hz, GRID_HZ[0], GRID_HZ[-1])
    over_db = _together_db(pair) - np.interp(GRID_HZ, inside, _together_db(ears))
    over_db = np.clip(smoothed_db(GRID_HZ, over_db, octaves=LEVELLED_OCTAVES), -MOST_LEVELLED_DB, MOST_LEVELLED_DB)
    return np.interp(inside, GRID_HZ, over_db * log_fade(GRID_HZ, *LEVELLED_HZ))


def _together_db(ears: ComplexArray) -> FloatArray:
    """Both channels together over the near ears of each, shape (n,); as unrelated sounds where there is silence."""
    near = np.abs(ears[0, 0]) ** 2 + np.abs(ears[1, 1]) ** 2
    together = np.sum(np.abs(ears.sum(axis=1)) ** 2, axis=0)
    silence = 1e-12 * near.max()
    level_db: FloatArray = 10 * np.log10((together + silence) / (near + silence))
    return level_db
