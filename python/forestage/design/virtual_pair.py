"""The virtual pair: what its far ear hears, and how much of that the device still has to add.

The engine plays the far ear of a virtual loudspeaker in closed form from the angle (``cpp/core/virtual_stereo.hpp``),
times a filter of the preset. That filter makes room for the crosstalk that the cancellation leaves, and puts any other
head in the place of the closed form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forestage._core import far_ear
from forestage.acoustics.device import Device
from forestage.acoustics.head import HeadModel
from forestage.acoustics.pair import pair_positions_m
from forestage.arrays import ComplexArray, FloatArray
from forestage.choices import WIDTH_DEG
from forestage.constants import SAMPLE_RATE
from forestage.design.cancel.closed_form import first_root
from forestage.design.cancel.firs import Solution, heard_power
from forestage.design.cancel.room import Reverberation
from forestage.design.filters import (
    MASTER_RATE,
    delay_for,
    fit_firs,
    grid_for,
    log_fade,
    taps_for,
)
from forestage.design.skew import ROUNDING
from forestage.metrics.bands import octave_window
from forestage.short_repr import ShortRepr

# Modelling delay of the weights: with that of the other filters it keeps the whole chain within 5 ms
CROSSTALK_DELAY_S = 44 / SAMPLE_RATE
# Below, a device that cannot keep the ears apart would only lose level to the pair
BASS_HZ = (100.0, 300.0)
# A side that reaches its ear with so much less than the other one plays none, all of the other's far ear
REACH = (10.0 ** (-24 / 20), 10.0 ** (-12 / 20))
TREBLE_HZ = (10_000.0, 16_000.0)
PAIR_BISECTIONS = 12
SHARE_OCTAVES = 1 / 6
# What the seat counts for among the heads of the zone, and how much room in the treble is made for what differs there
SEAT_SHARE, SPREAD_SHARE = 0.6, 0.5
# From here on levels tell where a sound between the sides is, and no longer times
LEVEL_HZ = (1000.0, 2000.0)
# What the pair adds to the near ear is taken back in steps, each smoothed and bounded
EVEN_OCTAVES, MOST_EVEN_DB, EVEN_STEPS = 1 / 6, 4.0, 3
TINY = 1e-30


@dataclass(frozen=True, repr=False)
class VirtualPair(ShortRepr):
    """The pair of loudspeakers to be heard.

    Parameters
    ----------
    width_deg : float
        Half angle of the pair, 5 to 90.
    head : head, optional
        Whose far ear it is, a sphere or measured. By default that of the listener who is designed for, and for
        headphones the closed form of the engine.
    distance_m : float
        Distance of the virtual loudspeakers, for ``head``.
    drive_cap_db : float
        Most power the drivers may get for one channel of the pair, over plain stereo with the same near ear. The far
        ear of the pair comes on top of the cancellation, so this is above its cap.
    """

    width_deg: float = WIDTH_DEG
    head: HeadModel | None = None
    distance_m: float = 2.0
    drive_cap_db: float = 13.0

    def __post_init__(self) -> None:
        if not 5.0 <= self.width_deg <= 90.0:
            raise ValueError(f"width_deg = {self.width_deg}: must be within 5..90")

    def heard_by(self, device: Device) -> VirtualPair:
        """The pair as the listener of a device would hear it, unless it has a head of its own."""
        if self.head is not None or device.is_headphones:
            return self
        return replace(self, head=device.listener.head, distance_m=device.listener.distance_m)

    def far_over_near(self, frequency_hz: ArrayLike) -> ComplexArray:
        """Far over near ear for the (left, right) virtual loudspeaker, shape (2, n)."""
        frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
        if self.head is None:
            return np.tile(closed_form_far_ear(self.width_deg, frequency), (2, 1))
        ears = self.head.ears(frequency, pair_positions_m(self.width_deg, self.distance_m))
        return np.stack([ears[1, 0] / ears[0, 0], ears[0, 1] / ears[1, 1]])


def closed_form_far_ear(width_deg: float, frequency_hz: ArrayLike) -> ComplexArray:
    """Far over near ear as the engine plays it, shape (n,).

    Examples
    --------
    >>> abs(closed_form_far_ear(30.0, [0.0, 8000.0])).round(2).tolist()
    [1.0, 0.45]
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    form = far_ear(width_deg)
    shelf = (1.0 + 1j * frequency / form.zero_hz) / (1.0 + 1j * frequency / form.pole_hz)
    return np.exp(-2j * np.pi * frequency * form.delay_s) * shelf


def crosstalk_weight(solution: Solution, pair: VirtualPair) -> ComplexArray:
    """What to weigh the closed-form far ear with, shape (2, n), on the grid of the solution.

    With a ratio rho of far to near ear left by the cancellation, a far-ear feed x makes the ratio
    ``(rho + x) / (1 + x rho)`` at the ears. The x that comes closest to a ratio R over the zone is

        x = sum m_i conj(1 - R rho_i) (R - rho_i) / sum m_i |1 - R rho_i|^2

    where the seat has half of the shares m_i. Where rho is the same all over the zone it is made up for; where not, its
    power is, by a smaller R: see `_less_spread`. This is for sides that are alike. Where they are not, each side takes
    the x that makes the ratio H which its own rho has with the x above, of what it and the other side, dashed, bring to
    their near ears n and far ears f at the seat:

        x = (H n - f) / (n' - H f')

    What would need more than the drive cap of the pair, or of a driver more than its limit, is left out, and what the
    other side can hardly play. In a room the pair stands no further out than it lets it, see
    `forestage.design.cancel.room`.
    """
    problem = solution.problem
    wanted = pair.far_over_near(problem.frequency_hz)
    feed = _feed(solution, wanted)
    if problem.room is not None:
        feed = _feed_in_room(solution, problem.room, wanted)
    ears = problem.ears(solution.weights, seat=0)
    left_over = np.stack([ears[0, 1] / ears[0, 0], ears[1, 0] / ears[1, 1]])
    feed *= _share_within_cap(solution, feed, left_over, pair.drive_cap_db)
    return feed / closed_form_far_ear(pair.width_deg, problem.frequency_hz)


def _feed(solution: Solution, wanted: ComplexArray) -> ComplexArray:
    """Far-ear feeds that come closest to the wanted far over near ear, both of shape (2, n)."""
    problem = solution.problem
    ears = np.einsum("sedf,dcf->secf", problem.response, solution.weights)
    left_over = np.stack([ears[:, 1, 0] / ears[:, 0, 0], ears[:, 0, 1] / ears[:, 1, 1]], axis=1)
    shares = _shares(len(left_over))
    spread = np.sum(shares * np.abs(left_over) ** 2, axis=0) - np.abs(np.sum(shares * left_over, axis=0)) ** 2
    wanted = _less_spread(wanted, spread, problem.frequency_hz)
    open_path = 1.0 - wanted * left_over
    feed = np.sum(shares * open_path.conj() * (wanted - left_over), axis=0)
    feed /= np.sum(shares * np.abs(open_path) ** 2, axis=0)
    near, far = np.stack([ears[0, 0, 0], ears[0, 1, 1]]), np.stack([ears[0, 1, 0], ears[0, 0, 1]])
    # A symmetric device is left alone
    if np.any(np.abs([near - near[::-1], far - far[::-1]]) > ROUNDING * np.abs(near)):
        heard = (left_over[0] + feed) / (1.0 + feed * left_over[0])
        feed = (heard * near - far) / (near[::-1] - heard * far[::-1])
        feed *= log_fade(np.abs(near[::-1] / near), *REACH)
    bass = 1.0 - log_fade(problem.frequency_hz, *BASS_HZ)
    treble = log_fade(problem.frequency_hz, *TREBLE_HZ)
    return feed * (1.0 - bass * np.minimum(np.abs(left_over[0]), 1.0)) * (1.0 - treble)


def _feed_in_room(solution: Solution, room: Reverberation, wanted: ComplexArray) -> ComplexArray:
    """Far-ear feeds of a pair that stands as far out as the room lets it, shape (2, n).

    Between plain stereo and the wanted pair, level and phase of far over near ear change alike, so that what is left is
    a narrower pair. The widest one is found by bisection whose direct over reverberant sound is within its limit.
    """
    problem = solution.problem
    plain = problem.ears(problem.plain, seat=0)
    most = room.most_with_pair(problem.plain, plain)
    inside, outside = (
        _log_unwrapped(each) for each in (np.stack([plain[1, 0] / plain[0, 0], plain[0, 1] / plain[1, 1]]), wanted)
    )
    weights, ears = solution.weights, problem.ears(solution.weights, seat=0)
    own, cross = room.at_an_ear(weights).real, room.at_an_ear(weights, weights[:, ::-1])

    def feed_at(share: FloatArray) -> tuple[ComplexArray, NDArray[np.bool_]]:
        feed = _feed(solution, np.exp(inside + share * (outside - inside)))
        power = own + 2.0 * (feed * cross).real + np.abs(feed) ** 2 * own[::-1]
        direct = np.sum(np.abs(ears + feed * ears[:, ::-1]) ** 2, axis=0)
        return feed, power > most * direct

    low, high = np.zeros(wanted.shape), np.ones(wanted.shape)
    is_free = ~feed_at(high)[1]
    for _ in range(PAIR_BISECTIONS):
        middle = 0.5 * (low + high)
        is_over = feed_at(middle)[1]
        low, high = np.where(is_over, low, middle), np.where(is_over, middle, high)
    return feed_at(_smooth_below(problem.frequency_hz, np.where(is_free, 1.0, low)))[0]


def _smooth_below(frequency_hz: FloatArray, shares: FloatArray) -> FloatArray:
    """Shares, shape (2, n), without steps that filters could not follow, and hardly above what they were."""
    apart = np.abs(np.subtract.outer(np.log2(frequency_hz), np.log2(frequency_hz)))
    lowest = np.min(np.where(apart < SHARE_OCTAVES, shares[:, None], np.inf), axis=-1)
    window = np.exp(-2.0 * (apart / SHARE_OCTAVES) ** 2)
    smooth: FloatArray = lowest @ (window / window.sum(axis=1, keepdims=True)).T
    return smooth


def _log_unwrapped(ratio: ComplexArray) -> ComplexArray:
    """Logarithm of a ratio over rising frequencies, its phase without jumps."""
    unwrapped: ComplexArray = np.log(np.abs(ratio)) + 1j * np.unwrap(np.angle(ratio))
    return unwrapped


def _shares(heads: int) -> FloatArray:
    """What each head of the zone counts for, the seat first, shape (heads, 1, 1)."""
    if heads == 1:
        return np.ones((1, 1, 1))
    others = np.full(heads - 1, (1.0 - SEAT_SHARE) / (heads - 1))
    return np.append(SEAT_SHARE, others)[:, None, None]


def _less_spread(wanted: ComplexArray, spread: FloatArray, frequency_hz: FloatArray) -> ComplexArray:
    """A wanted ratio less the power of what differs all over the zone, shape (2, n).

    Where times tell the place of a sound, phases stay as wanted. Levels tell it in the treble: with gains l and r of a
    sound between the sides, the power at an ear is ``l^2 + r^2 |R|^2 + 2 l r Re R``. So there the real part stays, and
    the imaginary part makes room as far as it can.
    """
    shorter = wanted * np.sqrt(np.clip(1.0 - spread / np.abs(wanted) ** 2, 0.0, 1.0))
    imaginary = np.sqrt(np.clip(wanted.imag**2 - SPREAD_SHARE * spread, 0.0, None))
    levelled = wanted.real + 1j * np.copysign(imaginary, wanted.imag)
    share = log_fade(frequency_hz, *LEVEL_HZ)
    return (1.0 - share) * shorter + share * levelled


def _share_within_cap(solution: Solution, feed: ComplexArray, left_over: ComplexArray, cap_db: float) -> FloatArray:
    """Largest share of the far-ear feeds, shape (2, n), with which the drive of the pair stays within all caps.

    That on the power of all drivers together, and those of drivers that have limits of their own.
    """
    problem, weights = solution.problem, solution.weights
    other = feed * weights[:, ::-1]
    beside = feed * left_over  # what the feed adds to the near ear
    alone, both, added = np.abs(weights) ** 2, (weights.conj() * other).real, np.abs(other) ** 2

    def share_within(powers: tuple[FloatArray, FloatArray, FloatArray], cap: FloatArray) -> FloatArray:
        start, cross, end = powers
        beyond = np.minimum(start - cap, 0.0)  # none where the cap is met without a pair already
        return first_root(end - cap * np.abs(beside) ** 2, 2.0 * (cross - cap * beside.real), beyond)

    cap = 10.0 ** (cap_db / 10) * np.sum(np.abs(problem.plain) ** 2, axis=0)
    together = alone.sum(axis=0), both.sum(axis=0), added.sum(axis=0)
    shares = [share_within(together, cap)]
    for driver in problem.limited_drivers:
        shares.append(share_within((alone[driver], both[driver], added[driver]), problem.driver_most[driver]))
    return np.min(shares, axis=0)


def with_even_near_ears(solution: Solution, pair: VirtualPair) -> Solution:
    """The solution, with near ears that are as they should be once the pair plays, within some dB.

    What the pair plays into the other channel comes back to the near ear in part. Drivers with limits of their own get
    no more than those.
    """
    problem = solution.problem
    window = octave_window(problem.frequency_hz, EVEN_OCTAVES)
    window /= window.sum(axis=1, keepdims=True)
    for _ in range(EVEN_STEPS):
        feed = crosstalk_weight(solution, pair) * closed_form_far_ear(pair.width_deg, problem.frequency_hz)
        ears = problem.ears(solution.weights, seat=0)
        near = np.stack([ears[0, 0] + feed[0] * ears[0, 1], ears[1, 1] + feed[1] * ears[1, 0]])
        over_db = 20 * np.log10(np.abs(near / problem.wanted)) @ window.T
        gain = 10.0 ** (-np.clip(over_db, -MOST_EVEN_DB, MOST_EVEN_DB) / 20)
        for driver in problem.limited_drivers:
            power = np.maximum(np.abs(solution.weights[driver]) ** 2, TINY)
            gain = np.minimum(gain, np.maximum(np.sqrt(problem.driver_most[driver] / power), 1.0))
        solution = replace(solution, weights=solution.weights * gain)
    return solution


def far_feed(firs: FloatArray, width_deg: float) -> ComplexArray:
    """What filters of `crosstalk_firs` make of the far ear, on the grid of the highest rate, shape (2, bins)."""
    frequency = grid_for(MASTER_RATE)
    late = np.exp(2j * np.pi * frequency * delay_for(MASTER_RATE, delay_s=CROSSTALK_DELAY_S) / MASTER_RATE)
    weights = np.fft.rfft(firs, 2 * (len(frequency) - 1), axis=-1) * late
    feed: ComplexArray = weights * closed_form_far_ear(width_deg, frequency)
    return feed


def crosstalk_firs(solution: Solution, pair: VirtualPair, *, sample_rate: int = MASTER_RATE) -> FloatArray:
    """Fitted weights, shape (2, taps), for the (left, right) channel; see `sample_firs` for other rates.

    Errors count by what the other side's near ear hears of them, over what this side's hears.
    """
    frequency = grid_for(sample_rate)
    grid = np.log(solution.problem.frequency_hz)
    inside = np.log(np.clip(frequency, np.exp(grid[0]), np.exp(grid[-1])))
    price = 1.0 / np.sqrt(np.clip(frequency, 60.0, 20_000.0))
    heard = heard_power(solution.problem)
    shares = np.round(heard[::-1] / heard, 4)  # 1 for a symmetric device
    taps, delay = taps_for(sample_rate), delay_for(sample_rate, delay_s=CROSSTALK_DELAY_S)
    firs = []
    for weight, share in zip(crosstalk_weight(solution, pair), shares, strict=True):
        wanted = np.interp(inside, grid, weight.real) + 1j * np.interp(inside, grid, weight.imag)
        kernel = price * np.interp(inside, grid, share)
        firs.append(fit_firs(wanted[None], kernel=kernel[None, None], taps=taps, delay_frames=delay)[0])
    return np.stack(firs)
