"""How figures change with the seat: maps over where the head is, and the width of the sweet spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline, RegularGridInterpolator

from forestage.acoustics import fields
from forestage.acoustics.device import Device
from forestage.acoustics.driver_response import of_feeds
from forestage.acoustics.head import Head
from forestage.acoustics.measured_head import MeasuredHead
from forestage.acoustics.seat import Seat
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.metrics.bands import log_grid
from forestage.metrics.chain import Chain
from forestage.metrics.localisation import TIME_HZ, Localiser
from forestage.metrics.played import Played
from forestage.metrics.separation import octave_separation_db

_TO_THE_LEFT_M = np.array([0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5])
LATERAL_M = np.concatenate([-_TO_THE_LEFT_M[::-1], [0.0], _TO_THE_LEFT_M])
DISTANCE_RATIOS = (0.5, 0.75, 1.0, 1.25, 1.5)
CLEARANCE_M = 0.1
SWEET_SPOT_DB = 6.0
AREA_DEG, AREA_STEPS = 10.0, 201
# Over the distance of the seat: places, and heads, that are none of those of `forestage.design.zone.Zone`
MOVED_RATIOS, MOVED_ASIDE = (0.75, 1.25), (-0.0375, -0.0125, 0.0125, 0.0375)
MOVED_HEADS = (Head(), Head(0.096, 100.0), Head(0.08, 95.0))
FREQUENCY_HZ = log_grid(210.0, 6300.0, per_octave=8)
# Where the field of a seat is computed, many seats being wanted; splines between
GRID_HZ = np.concatenate([log_grid(90.0, 1080.0, per_octave=7), np.arange(1260.0, 6661.0, 180.0)])


def clear_lateral_m(device: Device, distances_m: ArrayLike) -> FloatArray:
    """Those of `LATERAL_M` where a head is clear of the device at all distances, and the middle, shape (k,)."""
    lines = [line_of_seats(device, float(distance)) for distance in np.atleast_1d(np.asarray(distances_m))]
    is_clear = np.array([all(map(device.is_clear, seats)) for seats in zip(*lines, strict=True)])
    return LATERAL_M[is_clear | (LATERAL_M == 0.0)]


def line_of_seats(device: Device, distance_m: float, lateral_m: ArrayLike = LATERAL_M) -> list[Seat]:
    """Seats beside each other: the device's listener at another distance, moved to the listener's left, facing -x."""
    own = device.listener.seat
    return [Seat((distance_m, float(y), own.position_m[2]), own.yaw_deg, own.head) for y in np.asarray(lateral_m)]


# Many small matrices: threads only cost time.
@one_thread
def seat_responses(device: Device, seats: Sequence[Seat], frequency_hz: ArrayLike) -> ComplexArray:
    """Pressure at the ears of several seats, per unit of the equalised feeds, for figures that need many seats.

    Parameters
    ----------
    device : Device
        The device; not headphones.
    seats : sequence of Seat
        The heads.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz, within `GRID_HZ`.

    Returns
    -------
    ndarray of complex, shape (seats, 2, drivers, n)
        What `plant` gives, with its delay, to about -60 dB.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    centres = np.array([field.centre_m for field in device.fields])
    away_m = np.array([seat.position_m for seat in seats])[:, None] - centres
    turns = 2j * np.pi / SPEED_OF_SOUND_M_S * np.linalg.norm(away_m, axis=-1)[:, None, :, None]
    smooth = np.stack([fields.ears(device.fields, seat, GRID_HZ) for seat in seats]) * np.exp(turns * GRID_HZ)
    bare = CubicSpline(GRID_HZ, smooth, axis=-1)(frequency) * np.exp(-turns * frequency)
    return of_feeds(device, bare, frequency)


def seat_separation_db(responses: ArrayLike, filters: ArrayLike, frequency_hz: ArrayLike) -> FloatArray:
    """Mean of the octave separations (200 to 6400 Hz) at several seats.

    Parameters
    ----------
    responses : array_like of complex, shape (seats, 2, drivers, n)
        From drivers to ears, see `seat_responses`.
    filters : array_like of complex, shape (drivers, 2, n)
        Responses of the filters of the (left, right) channel.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz, such as `FREQUENCY_HZ`.

    Returns
    -------
    ndarray, shape (seats,)
        In dB; in every octave, of the channel that has less of it.
    """
    ears = np.einsum("sedf,dcf->ecsf", np.asarray(responses), np.asarray(filters))
    return octave_separation_db(frequency_hz, ears).mean(axis=-1)


def sweet_spot_m(design: Played) -> dict[str, float]:
    """Width of the absolute sweet spot at the distance of the seat, of plain stereo and of the design.

    Within `LATERAL_M`; see `sweet_spot_width_m`. The separation is that of the cancellation alone.
    """
    device = design.device
    chain = Chain.of(design, FREQUENCY_HZ)
    lateral_m = clear_lateral_m(device, device.listener.distance_m)
    responses = seat_responses(device, line_of_seats(device, device.listener.distance_m, lateral_m), FREQUENCY_HZ)
    return {
        name: sweet_spot_width_m(lateral_m, seat_separation_db(responses, filters, FREQUENCY_HZ))
        for name, filters in (("plain", chain.plain), ("processed", chain.cancelled))
    }


def moved_separation_db(design: Played) -> dict[str, FloatArray]:
    """Separation per octave of plain stereo and of the design at the worst of places and heads that no design has seen.

    Of the channel that has less, and of the cancellation alone; see `moved_seats`.
    """
    chain, responses = (
        Chain.of(design, FREQUENCY_HZ),
        seat_responses(design.device, moved_seats(design.device), FREQUENCY_HZ),
    )
    return {
        name: octave_separation_db(FREQUENCY_HZ, np.einsum("sedf,dcf->ecsf", responses, filters)).min(axis=0)
        for name, filters in (("plain", chain.plain), ("processed", chain.cancelled))
    }


def moved_seats(device: Device) -> list[Seat]:
    """Places a little beside, nearer and further that are clear of the device.

    Of several spheres, or of a measured head of the listener's own.
    """
    own, distance_m = device.listener.seat, device.listener.distance_m
    x, y, z = own.position_m
    places = [(ratio * x, y + side * distance_m, z) for ratio, side in product(MOVED_RATIOS, MOVED_ASIDE)]
    heads: Sequence[Head | MeasuredHead] = MOVED_HEADS if isinstance(own.head, Head) else (own.head,)
    seats = [replace(own, position_m=place, head=head) for place, head in product(places, heads)]
    return [seat for seat in seats if device.is_clear(seat)] or [own]


def sweet_spot_width_m(
    lateral_m: ArrayLike, separation_db: ArrayLike, *, threshold_db: float = SWEET_SPOT_DB, seat_m: float = 0.0
) -> float:
    """Width of the stretch around the seat where the separation stays at a threshold or above.

    Parameters
    ----------
    lateral_m : array_like, shape (k,)
        Rising places of the head.
    separation_db : array_like, shape (k,)
        Separation there, in dB; straight lines between the places.
    threshold_db : float
        The absolute sweet spot is where the separation is 6 dB or more.
    seat_m : float
        Place of the seat.

    Returns
    -------
    float
        In metres; 0 where the seat itself is below the threshold, and never more than the places cover.

    Examples
    --------
    >>> sweet_spot_width_m([-0.2, -0.1, 0.0, 0.1, 0.2], [0.0, 4.0, 8.0, 8.0, 4.0])
    0.2
    """
    lateral, above_db = np.asarray(lateral_m, dtype=np.float64), np.asarray(separation_db) - threshold_db
    if np.interp(seat_m, lateral, above_db) < 0.0:
        return 0.0
    turns = np.flatnonzero(np.diff(above_db >= 0.0))
    share = above_db[turns] / (above_db[turns] - above_db[turns + 1])
    edges = lateral[turns] + share * np.diff(lateral)[turns]
    left = edges[edges <= seat_m].max(initial=lateral[0])
    right = edges[edges >= seat_m].min(initial=lateral[-1])
    return float(right - left)


def zone_distances_m(device: Device) -> FloatArray:
    """Distances around the seat's at which every head of the maps is clear of the device."""
    front = max((driver.position_m[0] for driver in device.drivers if driver.position_m is not None), default=0.0)
    front = max(front, device.body.radius_m if device.body is not None else 0.0)
    nearest = front + device.listener.head.radius_m + CLEARANCE_M
    distances = np.array(DISTANCE_RATIOS) * device.listener.distance_m
    return distances[(distances >= nearest) | (np.array(DISTANCE_RATIOS) == 1.0)]


def zone_maps(design: Played) -> list[dict[str, Any]]:
    """Maps over lateral offset and distance, as a preset holds them; none for headphones.

    Parameters
    ----------
    design : Played
        The design, its filters as they are exported.

    Returns
    -------
    list of dict
        Each for plain stereo and for the design:
        ``separation``: mean of the octaves from 200 to 6400 Hz, weaker channel, cancellation alone, in dB;
        ``azimuth_error``: azimuth by time of a sound in the left channel, minus that of a real loudspeaker on the left
        of a pair where the virtual one is for the design's seat, in degrees;
        ``center_level``: level of the centre at the ears, 200 to 6400 Hz, relative to the seat and with its loss over
        the distance taken out, in dB.
    """
    device = design.device
    if device.is_headphones:
        return []
    distances, lateral_m, seats, in_octaves, in_time = _seats_of_maps(device)
    octaves = Chain.of(design, FREQUENCY_HZ)
    time = Chain.of(design, TIME_HZ)
    figures = {
        "separation_plain": ("dB", seat_separation_db(in_octaves, octaves.plain, FREQUENCY_HZ)),
        "separation_processed": ("dB", seat_separation_db(in_octaves, octaves.cancelled, FREQUENCY_HZ)),
        "azimuth_error_plain": ("deg", _azimuth_error_deg(design, seats, in_time, time.plain[:, 0])),
        "azimuth_error_processed": ("deg", _azimuth_error_deg(design, seats, in_time, time.staged[:, 0])),
        "center_level_plain": ("dB", _center_level_db(device, seats, in_octaves, octaves.plain_center)),
        "center_level_processed": ("dB", _center_level_db(device, seats, in_octaves, octaves.center)),
    }
    return [
        {
            "name": name,
            "unit": unit,
            "lateral_m": lateral_m.tolist(),
            "distance_m": distances.round(4).tolist(),
            "values": values.round(2).tolist(),
        }
        for name, (unit, values) in figures.items()
    ]


@lru_cache(maxsize=1)
def _seats_of_maps(device: Device) -> tuple[FloatArray, FloatArray, list[Seat], ComplexArray, ComplexArray]:
    """Distances, places beside the axis, heads there, and their responses on `FREQUENCY_HZ` and `TIME_HZ`."""
    distances = zone_distances_m(device)
    lateral_m = clear_lateral_m(device, distances)
    seats = [seat for distance_m in distances for seat in line_of_seats(device, float(distance_m), lateral_m)]
    responses = seat_responses(device, seats, np.concatenate([FREQUENCY_HZ, TIME_HZ]))
    in_octaves, in_time = np.split(responses, [len(FREQUENCY_HZ)], axis=-1)
    return distances, lateral_m, seats, in_octaves, in_time


def zone_area_cm2(design: Played) -> dict[str, float]:
    """Area where the ears are separated and both sides are heard where they should be, of plain stereo and the design.

    Within 10 degrees by time, with 6 dB or more, on the maps of `zone_maps`, straight between their places. It goes no
    further than these.
    """
    device = design.device
    distances, lateral_m, seats, in_octaves, in_time = _seats_of_maps(device)
    octaves, time = Chain.of(design, FREQUENCY_HZ), Chain.of(design, TIME_HZ)
    rows = np.linspace(distances[0], distances[-1], AREA_STEPS)
    columns = np.linspace(lateral_m[0], lateral_m[-1], AREA_STEPS)
    points = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    found = {}
    for name, separate, sides in (
        ("plain", octaves.plain, time.plain),
        ("processed", octaves.cancelled, time.staged),
    ):
        values = np.stack(
            [
                seat_separation_db(in_octaves, separate, FREQUENCY_HZ),
                _azimuth_error_deg(design, seats, in_time, sides[:, 0]),
                _azimuth_error_deg(design, seats, in_time, sides[:, 1], side=-1.0),
            ],
            axis=-1,
        ).reshape(len(distances), len(lateral_m), 3)
        separation_db, *off_deg = np.moveaxis(_between(distances, lateral_m, values)(points), -1, 0)
        inside = (separation_db >= SWEET_SPOT_DB) & (np.max(np.abs(off_deg), axis=0) <= AREA_DEG)
        found[name] = float(1e4 * np.mean(inside) * np.ptp(rows) * np.ptp(columns))
    return found


def _between(distances: FloatArray, lateral_m: FloatArray, values: FloatArray) -> RegularGridInterpolator:
    if len(distances) == 1:  # a head this close has no other distance: a strip without area
        distances, values = np.array([distances[0], distances[0] + 1e-9]), np.repeat(values, 2, axis=0)
    if len(lateral_m) == 1:
        lateral_m, values = np.array([0.0, 1e-9]), np.repeat(values, 2, axis=1)
    return RegularGridInterpolator((distances, lateral_m), values, bounds_error=False, fill_value=None)


def _azimuth_error_deg(
    design: Played, seats: Sequence[Seat], responses: ComplexArray, filters: ComplexArray, *, side: float = 1.0
) -> FloatArray:
    """Azimuth by time of a channel, filters (drivers, n), minus that of a loudspeaker on the left (1) or right (-1)."""
    listener, angle = design.device.listener, np.deg2rad(design.width_deg)
    speaker = listener.distance_m * np.array([1.0 - np.cos(angle), side * np.sin(angle), 0.0])
    ahead, left, _ = np.stack([seat.in_head([speaker])[0] for seat in seats], axis=-1)
    ears = np.einsum("sedf,df->esf", responses, filters)
    localiser = Localiser.in_place_of(listener)
    return localiser.time_azimuth_deg(ears) - np.rad2deg(np.arctan2(left, ahead))


def _center_level_db(
    device: Device, seats: Sequence[Seat], responses: ComplexArray, filters: ComplexArray
) -> FloatArray:
    positions = np.array([seat.position_m for seat in seats])
    power = np.mean(np.abs(np.einsum("sedf,df->sef", responses, filters)) ** 2, axis=(1, 2))
    level_db = 10 * np.log10(power * np.sum(positions**2, axis=-1))
    own = np.argmin(np.linalg.norm(positions - device.listener.seat.position_m, axis=-1))
    return level_db - level_db[own]
