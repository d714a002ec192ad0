"""Sound fields of drivers, and what a head hears of them.

A field is known wherever no head disturbs it. To bring it to any head, a few point sources inside the device are given
strengths with which they make the same pressure where the head is going to be (method of equivalent sources); the head
then only has to know point sources. Both stand in rings around the line from the device to the head: what goes around
it once, twice, and so on, is then a small problem each, and places of one ring are equally far away. What the device
scatters back to the head is left out.

Pressures are relative to a point source of the same volume acceleration at 1 m, so that a small driver is flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from numpy.typing import ArrayLike, NDArray

from forestage.acoustics.head import Head, hankel_quotients, log_derivatives, order_for, shared_distances
from forestage.acoustics.seat import Seat
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SPEED_OF_SOUND_M_S

# Found by trial: errors at the ears are below -95 dB up to 8 kHz and -80 dB up to 16 kHz for a body of 9 cm, from 0.7 m
# on; for one of 15 cm, -90 dB and -50 dB
SOURCE_RINGS, HEAD_RINGS = 6, 8
AROUND = 16
SOURCE_DEPTH = 0.95
REGULARISATION = 1e-9
# Steps between wave numbers that differ by no more, over the highest one, are even
EVEN = 1e-12
# Places, directions and sizes of fields that differ by no more are mirror images
ALIKE = 1e-9


class Field(Protocol):
    """What a driver radiates: from a point, or from inside a sphere around one."""

    @property
    def centre_m(self) -> FloatArray:
        """Where it comes from, shape (3,)."""

    @property
    def extent_m(self) -> float:
        """Radius around the centre that holds all its sources; 0 for a point source of unit strength."""

    def field(self, frequency_hz: ArrayLike, points_m: ArrayLike) -> ComplexArray:
        """Pressure at points of the device's frame (k, 3), without a head, shape (k, n)."""


@dataclass(frozen=True)
class PointSource:
    """A point source in the free field at ``position_m``."""

    position_m: tuple[float, float, float]
    extent_m: float = 0.0

    @property
    def centre_m(self) -> FloatArray:
        """Where it stands."""
        return np.array(self.position_m)

    def field(self, frequency_hz: ArrayLike, points_m: ArrayLike) -> ComplexArray:
        """``exp(-j k r) / r``, shape (k, n)."""
        distance = np.linalg.norm(np.asarray(points_m) - self.centre_m, axis=-1)
        return phasors(wave_number(frequency_hz), distance).T / distance[:, None]


@dataclass(frozen=True)
class CapPiston:
    """A cap that moves as a piston on a rigid sphere around the device's origin.

    The field is a series of Legendre polynomials around the cap's axis, with the velocity of the cap as its boundary
    condition; see Skelton and James, "Theoretical Acoustics of Underwater Structures" (1997), or any text on spherical
    radiators.

    Parameters
    ----------
    axis : tuple of float
        Unit vector.
    half_angle_deg, radius_m : float
        Half opening angle of the cap, and radius of the sphere.
    """

    axis: tuple[float, float, float]
    half_angle_deg: float
    radius_m: float

    @property
    def centre_m(self) -> FloatArray:
        """Centre of the sphere."""
        return np.zeros(3)

    @property
    def extent_m(self) -> float:
        """Radius of the sphere."""
        return self.radius_m

    def field(self, frequency_hz: ArrayLike, points_m: ArrayLike) -> ComplexArray:
        """Pressure outside the sphere, shape (k, n)."""
        return _around_sphere([self], frequency_hz, points_m)[0]

    def surface_terms(self, k: FloatArray, order: int) -> ComplexArray:
        """Pressure on the sphere per order for unit volume acceleration (times 4 pi), shape (order + 1, n)."""
        cosine = np.cos(np.deg2rad(self.half_angle_deg))
        polynomials = legvander(cosine, order + 1)[0]
        velocity = np.empty(order + 1)
        velocity[0] = (1.0 - cosine) / 2
        velocity[1:] = (polynomials[:-2] - polynomials[2:]) / 2
        scale = -2.0 / (k * self.radius_m**2 * (1.0 - cosine))
        return scale * velocity[:, None] / log_derivatives(k * self.radius_m, order)


def pressures(fields: Sequence[Field], frequency_hz: ArrayLike, points_m: ArrayLike) -> ComplexArray:
    """Pressure of several fields at points, shape (fields, k, n); caps of one sphere share what they have in common."""
    points = np.asarray(points_m, dtype=np.float64)
    found = np.empty((len(fields), len(points), np.size(frequency_hz)), dtype=np.complex128)
    spheres: dict[float, list[int]] = {}
    for index, each in enumerate(fields):
        if isinstance(each, CapPiston):
            spheres.setdefault(each.radius_m, []).append(index)
        else:
            found[index] = each.field(frequency_hz, points)
    for members in spheres.values():
        found[members] = _around_sphere([fields[index] for index in members], frequency_hz, points)  # type: ignore[misc]
    return found


def _around_sphere(caps: Sequence[CapPiston], frequency_hz: ArrayLike, points_m: ArrayLike) -> ComplexArray:
    """Pressure of caps on one sphere, shape (caps, k, n)."""
    radius = caps[0].radius_m
    k = wave_number(frequency_hz)
    points = np.asarray(points_m, dtype=np.float64)
    distance = np.linalg.norm(points, axis=-1)
    nearest = float(distance.min())
    if nearest <= radius:
        raise ValueError(f"points_m: one is {nearest:g} m from the centre, inside the body of {radius} m")
    order = order_for(float(k.max()) * radius, ratio=radius / nearest)
    reaches, which = shared_distances(distance)
    grown = growth(k * radius, np.outer(reaches, k), order)
    grown *= phasors(k, reaches - radius).T * (radius / reaches)[:, None]
    alike = {cap.half_angle_deg: cap for cap in caps}
    surface = {half_angle_deg: cap.surface_terms(k, order) for half_angle_deg, cap in alike.items()}
    cosines = np.clip(points @ np.array([cap.axis for cap in caps]).T / distance[:, None], -1.0, 1.0)
    polynomials = legvander(cosines.T, order)
    pressure = np.empty((len(caps), len(points), len(k)), dtype=np.complex128)
    for index in range(len(reaches)):
        here = which == index
        terms = np.ascontiguousarray(grown[:, index])
        for out, cap, each in zip(pressure, caps, polynomials, strict=True):
            series = surface[cap.half_angle_deg] * terms
            out[here] = (each[here] @ series.view(np.float64)).view(np.complex128)
    return pressure


def wave_number(frequency_hz: ArrayLike) -> FloatArray:
    """Wave number in rad/m; below 1 Hz every response stands at its static limit."""
    return 2 * np.pi * np.maximum(np.asarray(frequency_hz, dtype=np.float64), 1.0) / SPEED_OF_SOUND_M_S


def phasors(k: FloatArray, distance_m: ArrayLike) -> ComplexArray:
    """``exp(-j k r)``, shape (n, ...); where wave numbers go on in even steps, by products of a few of them."""
    distance = np.asarray(distance_m, dtype=np.float64)
    turns = np.empty((len(k), *distance.shape), dtype=np.complex128)
    steps = np.diff(k)
    is_even = np.abs(steps - steps[-1:]) <= EVEN * np.abs(k[-1:])
    first = int(len(steps) - np.argmin(np.append(is_even[::-1], False)))
    np.exp(-1j * np.multiply.outer(k[: first + 1], distance), out=turns[: first + 1])
    done, count = 1, len(k) - first
    if count > 1:
        power = np.exp(-1j * ((k[-1] - k[first]) / (count - 1)) * distance)
    while done < count:
        more = min(done, count - done)
        np.multiply(turns[first : first + more], power, out=turns[first + done : first + done + more])
        power, done = power * power, done + more
    return turns


def growth(near: FloatArray, far: FloatArray, order: int) -> ComplexArray:
    """``h_m(far) / h_m(near)`` over the same for m = 0, for m = 0..order on the first axis."""
    ratios = np.ones((order + 1, *far.shape), dtype=np.complex128)
    for m, (outer, inner) in enumerate(zip(hankel_quotients(far, order), hankel_quotients(near, order), strict=True)):
        np.multiply(ratios[m], outer * (1.0 / inner), out=ratios[m + 1])
    return ratios


def ears(fields: Sequence[Field], seat: Seat, frequency_hz: ArrayLike) -> ComplexArray:
    """Pressure at the (left, right) ear of a seat for every field, shape (2, fields, n); not to be written to.

    Of points and caps the last ones are kept, and those that are their own mirror image do to one side what they do to
    the other.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    known = tuple(field for field in fields if isinstance(field, PointSource | CapPiston))
    if len(known) < len(fields):
        return _ears(fields, seat, frequency)
    images = _mirror_images(known) if isinstance(seat.head, Head) else None
    if images is None or (seat.position_m[1], seat.yaw_deg) >= (0.0, 0.0):
        return _kept_ears(known, seat, frequency.tobytes())
    return _kept_ears(known, seat.mirrored, frequency.tobytes())[::-1, images]


@lru_cache(maxsize=64)
def _kept_ears(fields: tuple[PointSource | CapPiston, ...], seat: Seat, frequency: bytes) -> ComplexArray:
    response = _ears(fields, seat, np.frombuffer(frequency))
    response.flags.writeable = False
    return response


@lru_cache(maxsize=4)
def _mirror_images(fields: tuple[PointSource | CapPiston, ...]) -> NDArray[np.intp] | None:
    """Which field is the mirror image of each, left for right, shape (fields,); None where one has none."""
    own = np.array(
        [
            (*field.position_m, 0.0, 0.0)
            if isinstance(field, PointSource)
            else (*field.axis, field.half_angle_deg, field.radius_m)
            for field in fields
        ]
    )
    mirrored = own * [1.0, -1.0, 1.0, 1.0, 1.0]
    is_image = np.all(np.abs(mirrored[:, None] - own) < ALIKE, axis=-1)
    return np.argmax(is_image, axis=1) if is_image.any(axis=1).all() else None


def _ears(fields: Sequence[Field], seat: Seat, frequency: FloatArray) -> ComplexArray:
    response = np.empty((2, len(fields), len(frequency)), dtype=np.complex128)
    places = [(*field.centre_m.tolist(), field.extent_m) for field in fields]
    points = [index for index, (*_, extent) in enumerate(places) if extent == 0.0]
    if points:
        response[:, points] = seat.ears(frequency, np.stack([fields[index].centre_m for index in points]))
    for place in dict.fromkeys(place for place in places if place[3] > 0.0):
        same = [index for index, other in enumerate(places) if other == place]
        _check_apart(seat, np.array(place[:3]), place[3])
        sources, strengths = _equivalent([fields[index] for index in same], seat, frequency)
        response[:, same] = np.einsum("ekn,nkd->edn", seat.ears(frequency, sources), strengths, optimize=True)
    return response


def _check_apart(seat: Seat, centre: FloatArray, extent: float) -> None:
    distance = float(np.linalg.norm(centre - seat.position_m))
    if distance <= seat.head.radius_m + extent:
        raise ValueError(
            f"seat.position_m = {list(seat.position_m)}: the head (radius {seat.head.radius_m:g} m) and the device "
            f"(radius {extent:g} m at {centre.tolist()}) overlap"
        )


def _equivalent(fields: Sequence[Field], seat: Seat, frequency: FloatArray) -> tuple[FloatArray, ComplexArray]:
    """Sources (sources, 3), and their strengths (n, sources, fields) that make the fields on the sphere of the head.

    From a ring of sources to one of points, paths depend on how far apart both are around the line. So a transform
    around it leaves, for each of its orders, a matrix from rings to rings, the same one for an order and its negative.
    """
    centre, head_m = fields[0].centre_m, np.array(seat.position_m)
    axes = _axes_along(head_m - centre)
    sources = centre + SOURCE_DEPTH * fields[0].extent_m * _rings(SOURCE_RINGS) @ axes
    points = head_m + seat.head.radius_m * _rings(HEAD_RINGS) @ axes
    orders = np.arange(AROUND // 2 + 1)
    distance = np.linalg.norm(points[:, None, orders] - sources[:, :1], axis=-1)
    half = phasors(wave_number(frequency), distance) / distance
    around = np.fft.fft(np.concatenate([half, half[..., -2:0:-1]], axis=-1))[..., orders]
    free, adjoint = (np.ascontiguousarray(around.transpose(*order)) for order in ((0, 3, 1, 2), (0, 3, 2, 1)))
    np.conj(adjoint, out=adjoint)
    normal = adjoint @ free
    # Of all orders together, as if they were one problem
    power = np.trace(normal, axis1=2, axis2=3).real @ np.where(orders % (AROUND // 2), 2.0, 1.0)
    load = REGULARISATION / (SOURCE_RINGS * AROUND) * power[:, None, None, None] * np.eye(SOURCE_RINGS)
    wanted = pressures(fields, frequency, points.reshape(-1, 3)).reshape(len(fields), HEAD_RINGS, AROUND, -1)
    turned = np.fft.fft(wanted, axis=2).transpose(3, 2, 1, 0)
    both = np.linalg.solve(normal + load, adjoint @ np.concatenate([turned[:, orders], turned[:, -orders]], axis=-1))
    own, negative = np.split(both, 2, axis=-1)
    strengths = np.fft.ifft(np.concatenate([own, negative[:, -2:0:-1]], axis=1), axis=1).swapaxes(1, 2)
    return sources.reshape(-1, 3), strengths.reshape(len(frequency), -1, len(fields))


@cache
def _rings(count: int) -> FloatArray:
    """Directions in rings around the first axis, shape (count, AROUND, 3); not to be written to."""
    along = leggauss(count)[0][:, None]
    angle = 2 * np.pi * np.arange(AROUND) / AROUND
    beside = np.sqrt(1.0 - along**2)
    rings = np.stack(np.broadcast_arrays(along, beside * np.cos(angle), beside * np.sin(angle)), axis=-1)
    rings.flags.writeable = False
    return rings


def _axes_along(line: FloatArray) -> FloatArray:
    """Orthonormal axes as rows, the first along a line, shape (3, 3)."""
    first = line / np.linalg.norm(line)
    second = np.cross(np.eye(3)[np.argmin(np.abs(first))], first)
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])
