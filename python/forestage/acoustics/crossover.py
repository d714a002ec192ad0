"""Crossovers of the drivers of a device, and who plays the bass that a driver leaves.

Edges are fourth-order Linkwitz-Riley filters, second-order Butterworth filters twice; those of neighbours with a common
edge add up to an all-pass. Below its ``low_hz`` a driver leaves its feed to others:

    feed i ──┬─ high-pass at i's edge ─────────────────────────────────▶ driver i
             └─ low-pass at i's edge, level and time at the seat kept ──▶ drivers that can
    feed k ──── all-pass of i's edge, so that all stay in phase ────────▶ driver k
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SPEED_OF_SOUND_M_S

# Response of one filter at an edge in Hz, on frequencies that are settled: a high-pass, or a low-pass
Edge = Callable[[float, bool], ComplexArray]


@dataclass(frozen=True)
class BassRoute:
    """A driver that plays what of another one's feed is below an edge."""

    source: int
    target: int
    edge_hz: float
    gain: float
    late_s: float


def analogue(frequency_hz: ArrayLike) -> Edge:
    """Filters as formulas, at frequencies of shape (n,)."""
    s = 1j * np.asarray(frequency_hz, dtype=np.float64)

    def edge(edge_hz: float, is_high: bool) -> ComplexArray:
        ratio = s / edge_hz
        response: ComplexArray = ((ratio**2 if is_high else 1.0) / (1.0 + np.sqrt(2.0) * ratio + ratio**2)) ** 2
        return response

    return edge


def crossover(driver: Driver, frequency_hz: ArrayLike) -> ComplexArray:
    """Crossover of a driver as an analogue filter, 1 everywhere where it has no edges, shape (n,).

    Examples
    --------
    >>> woofer = Driver("a", "left", (0.0, 0.0, 0.0), high_hz=200.0)
    >>> (20 * np.log10(np.abs(crossover(woofer, [200.0, 400.0])))).round(2).tolist()
    [-6.02, -24.61]
    """
    return _own(driver, analogue(frequency_hz), np.asarray(frequency_hz, dtype=np.float64))


def _own(driver: Driver, edge: Edge, frequency: FloatArray) -> ComplexArray:
    response = np.ones(frequency.shape, dtype=np.complex128)
    if driver.low_hz is not None:
        response *= edge(driver.low_hz, True)
    if driver.high_hz is not None:
        response *= edge(driver.high_hz, False)
    return response


def bass_routes(device: Device) -> tuple[BassRoute, ...]:
    """Who plays the bass of whom: as ``bass_to`` says, or whoever can where nobody plays it so far.

    Level and time are those at the seat, as far as they need not be early.

    Examples
    --------
    >>> from forestage.acoustics.seat import Listener
    >>> sides = [Driver(name, name, (0.0, y, 0.0), low_hz=150.0) for name, y in (("left", 0.3), ("right", -0.3))]
    >>> bar = Device("Bar", (*sides, Driver("middle", "center", (0.0, 0.0, 0.0))), Listener(2.0))
    >>> [(route.source, route.target, route.edge_hz, round(route.gain, 2)) for route in bass_routes(bar)]
    [(0, 2, 150.0, 0.99), (1, 2, 150.0, 0.99)]
    """
    routes = []
    for source, driver in enumerate(device.drivers):
        if targets := _targets(device, source):
            distances = [_distance_m(device, device.drivers[k]) for k in targets]
            own_m = _distance_m(device, driver)
            gain = 1.0 / own_m / sum(1.0 / each for each in distances)
            assert driver.low_hz is not None
            routes += [
                BassRoute(source, target, driver.low_hz, gain, max(own_m - each, 0.0) / SPEED_OF_SOUND_M_S)
                for target, each in zip(targets, distances, strict=True)
            ]
    return tuple(routes)


def high_passes_hz(device: Device) -> dict[str, float]:
    """Where what drivers should play ends, as nobody plays what is below, by their names."""
    return {
        driver.name: driver.low_hz
        for index, driver in enumerate(device.drivers)
        if driver.low_hz is not None and not _is_played(device, index) and not _targets(device, index)
    }


def own_paths(device: Device, edge: Edge, frequency: FloatArray) -> ComplexArray:
    """From the feed of every driver to that driver, at the frequencies of ``edge``, shape (drivers, n)."""
    edges = _routed_edges(device)
    return np.stack([_own(driver, edge, frequency) * _turned(driver, edges, edge) for driver in device.drivers])


def bass_paths(device: Device, edge: Edge, frequency: FloatArray) -> list[tuple[BassRoute, ComplexArray]]:
    """From the feeds of drivers to others that play their bass, each of shape (n,)."""
    edges = _routed_edges(device)
    found = []
    for route in bass_routes(device):
        target = device.drivers[route.target]
        path = _own(target, edge, frequency) * _turned(target, edges - {route.edge_hz}, edge)
        if target.high_hz != route.edge_hz:
            path = path * edge(route.edge_hz, False)
        found.append((route, route.gain * path * np.exp(-2j * np.pi * frequency * route.late_s)))
    return found


def with_bass(device: Device, feeds: ComplexArray, frequency_hz: FloatArray) -> ComplexArray:
    """Feeds of drivers with the bass that they play of others, both of shape (drivers, channels, n)."""
    found = feeds.copy()
    for route, path in bass_paths(device, analogue(frequency_hz), frequency_hz):
        found[route.target] += feeds[route.source] * path
    return found


def _routed_edges(device: Device) -> set[float]:
    return {route.edge_hz for route in bass_routes(device)}


def _turned(driver: Driver, edges: set[float], edge: Edge) -> ComplexArray | float:
    """What lets a driver keep the phase of those whose bass is played elsewhere."""
    response: ComplexArray | float = 1.0
    for edge_hz in sorted(edges - {driver.low_hz, driver.high_hz}):
        response = response * (edge(edge_hz, True) + edge(edge_hz, False))
    return response


def _targets(device: Device, index: int) -> list[int]:
    driver = device.drivers[index]
    if driver.low_hz is None or device.is_headphones:
        return []
    if driver.bass_to is not None:
        return [k for k, each in enumerate(device.drivers) if each.name in driver.bass_to]
    if _is_played(device, index):
        return []
    able = _able(device, index)
    # What is in the middle is nobody's side
    return [k for k in able if device.drivers[k].channel == "center"] or able


def _able(device: Device, index: int) -> list[int]:
    driver = device.drivers[index]
    return [k for k, each in enumerate(device.drivers) if k != index and each.plays_below(driver)]


def _is_played(device: Device, index: int) -> bool:
    """Whether others play, of plain stereo, what a driver leaves."""
    gains = device.plain_gains
    return bool(np.all(gains[_able(device, index)].sum(axis=0) >= gains[index]))


def _distance_m(device: Device, driver: Driver) -> float:
    radius_m = 0.0 if device.body is None else device.body.radius_m
    position_m = driver.position_m if driver.position_m is not None else (radius_m * driver.axis).tolist()
    return math.dist(position_m, device.listener.seat.position_m)
