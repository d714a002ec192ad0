"""A device in a room, as it is heard from seats.

Reflections come from the image model (`forestage.acoustics.room`), to which a device is far-field patterns where its
drivers stand, and a head is patterns at its centre. The direct sound, which is nearest and matters most, is taken from
`forestage.acoustics.fields` instead, with all of its near field. Drivers of one body share a centre; others stand each
at their own.

The frame of a device (x to the listener, y to the listener's left, z up) is left-handed, that of a room right-handed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import butter, sosfilt

from forestage import _core
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.field_check import number, settle
from forestage.acoustics.head import Head
from forestage.acoustics.image_sources import Images, Progress, Responses
from forestage.acoustics.measured_head import MeasuredHead
from forestage.acoustics.pair import REFERENCE_DEG
from forestage.acoustics.patterns import band_end, driver_patterns, head_patterns, lead_frames, pattern_order, turned
from forestage.acoustics.plant import geometry
from forestage.acoustics.room import room_response, room_tensor
from forestage.acoustics.seat import Seat, Vector
from forestage.acoustics.shoebox import Room, named_room
from forestage.arrays import ComplexArray, FloatArray
from forestage.choices import ROOM_LENGTH_S
from forestage.constants import SAMPLE_RATE
from forestage.short_repr import ShortRepr

# A usual place: on a sideboard at the west wall, not quite in its middle
BEHIND_M, ASIDE, HEIGHT_M = 0.45, 0.46, 1.0
DIRECT_ONLY = Images(max_order=0)
# Furnished rooms scatter: with mirror walls `ROOMS` would ring up to 1.7 times as long as their materials say
SCATTERING = 0.2


@dataclass(frozen=True)
class Rendering:
    """What responses are computed of a room.

    Parameters
    ----------
    length_s : float
        Length of the responses.
    sample_rate : int
        In Hz.
    highest_hz : float
        Up to where reflections know the whole directivity of drivers and heads; costs grow with its square.
    images : Images
        Which image sources sound.
    leak_hz : float
        Below this, reflections fall by 12 dB an octave: mirror walls hold pressure like a sealed vessel, 20 dB up at
        5 Hz, which doors, windows and light walls let out. 0 seals the room.
    """

    length_s: float = ROOM_LENGTH_S
    sample_rate: int = SAMPLE_RATE
    highest_hz: float = 16_000.0
    images: Images = Images(until_s=0.1, scattering=SCATTERING)
    leak_hz: float = 15.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.length_s) and self.length_s > 0.0):
            raise ValueError(f"length_s = {self.length_s}: must be finite and above 0")
        if not 0.0 < self.highest_hz <= self.sample_rate / 2:
            raise ValueError(f"highest_hz = {self.highest_hz}: must be within 0..{self.sample_rate / 2:g}")
        if not 0.0 <= self.leak_hz < self.sample_rate / 2:
            raise ValueError(f"leak_hz = {self.leak_hz}: must be within 0..{self.sample_rate / 2:g}")

    @property
    def lead_frames(self) -> int:
        """Delay of a source and a receiver pattern together."""
        return 2 * lead_frames(self.sample_rate)

    @property
    def room_s(self) -> float:
        """Length that the room must have so that patterns fit in front."""
        return self.length_s + self.lead_frames / self.sample_rate


HALF_A_SECOND = Rendering()
# One device and one head are heard at several places
_driver_patterns = lru_cache(maxsize=8)(driver_patterns)
_head_patterns = lru_cache(maxsize=2)(head_patterns)


@dataclass(frozen=True, repr=False)
class Source(ShortRepr):
    """Drivers that share a centre: their positions in the device, where they are in the room, and their patterns."""

    drivers: list[int]
    position_m: FloatArray
    patterns: FloatArray = field(repr=False)


def usual_position_m(room: Room) -> Vector:
    """Where a device usually stands: at the west wall, not quite in its middle, to aim along x."""
    return BEHIND_M, ASIDE * room.dimensions_m[1], HEIGHT_M


@dataclass(frozen=True, repr=False)
class DeviceInRoom(ShortRepr):
    """A device at a place in a room.

    Parameters
    ----------
    device : Device
        The device; not headphones.
    room : Room or str
        The room, or a key of `forestage.acoustics.shoebox.ROOMS`, see `named_room`.
    position_m : tuple of float
        Where the origin of the device is in the room.
    azimuth_deg : float
        Where the device aims: 0 along x of the room, 90 along y.

    Examples
    --------
    A listener's left, when the device aims along x, is towards smaller y:

    >>> from forestage.acoustics.device import Listener
    >>> from forestage.acoustics.shoebox import ROOMS
    >>> drivers = (Driver("l", "left", (0.0, 0.1, 0.0)), Driver("r", "right", (0.0, -0.1, 0.0)))
    >>> pair = Device("Pair", drivers, Listener(2.0))
    >>> DeviceInRoom(pair, ROOMS["kitchen"], (0.4, 1.5, 1.1)).in_room([2.0, 0.25, 0.0]).tolist()
    [2.4, 1.25, 1.1]
    """

    device: Device
    room: Room
    position_m: Vector
    azimuth_deg: float = 0.0

    def __post_init__(self) -> None:
        settle(self, room=named_room, azimuth_deg=number)
        if self.device.is_headphones:
            raise ValueError(f'device "{self.device.name}": headphones are not heard through a room')
        self.room.check_inside(self.position_m, "position_m")
        for driver, radiated in zip(self.device.drivers, self.device.fields, strict=True):
            centre, extent = self.in_room(radiated.centre_m), radiated.extent_m
            if not ((centre - extent > 0.0) & (centre + extent < self.room.dimensions_m)).all():
                raise ValueError(
                    f'position_m = {list(self.position_m)}: driver "{driver.name}", at {centre.round(3).tolist()} with '
                    f"{extent:g} m around it, would not be inside the room of {list(self.room.dimensions_m)} m"
                )

    @property
    def axes(self) -> FloatArray:
        """Axes (x, y, z) of the device in the room, as columns, shape (3, 3)."""
        sine, cosine = np.sin(np.deg2rad(self.azimuth_deg)), np.cos(np.deg2rad(self.azimuth_deg))
        return np.array([[cosine, sine, 0.0], [sine, -cosine, 0.0], [0.0, 0.0, 1.0]])

    def in_room(self, points_m: ArrayLike) -> FloatArray:
        """Points of the device's frame in the room's, shape (..., 3)."""
        return np.asarray(points_m, dtype=np.float64) @ self.axes.T + self.position_m

    def check_seat(self, seat: Seat) -> FloatArray:
        """Centre of a head in the room, or why nobody can sit there."""
        position, radius = self.in_room(seat.position_m), seat.head.radius_m
        where = f"seat.position_m = {list(seat.position_m)}"
        reach = max(radiated.centre_m[0] + radiated.extent_m for radiated in self.device.fields)
        if not seat.position_m[0] > reach + radius:
            raise ValueError(
                f"{where}: behind the device, or inside it; x must be above {reach + radius:g}, for a head of radius "
                f"{radius:g} m"
            )
        if not ((position - radius > 0.0) & (position + radius < self.room.dimensions_m)).all():
            raise ValueError(
                f"{where}: a head of radius {radius:g} m at {position.round(3).tolist()} in the room would not be "
                f"inside its {list(self.room.dimensions_m)} m"
            )
        return position

    def reference(self, seat: Seat, *, angle_deg: float = REFERENCE_DEG) -> DeviceInRoom:
        """An ideal pair of points in the same room: at the angles and the distance of the device from a seat.

        It stands around the line from the head to the device, at the height of the head, however the head is turned.
        """
        self.check_seat(seat)
        sine, cosine = np.sin(np.deg2rad(angle_deg)), np.cos(np.deg2rad(angle_deg))
        x, y, z = seat.position_m
        left = Driver("left", "left", (x - cosine * x - sine * y, y + sine * x - cosine * y, z))
        right = Driver("right", "right", (x - cosine * x + sine * y, y - sine * x - cosine * y, z))
        pair = replace(self.device, name=f"{self.device.name} reference", drivers=(left, right), body=None)
        try:
            return replace(self, device=pair)
        except ValueError as error:
            raise ValueError(f"reference pair at +-{angle_deg:g} degrees: {error}") from None

    def ears(
        self,
        seat: Seat,
        rendering: Rendering = HALF_A_SECOND,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Responses:
        """Impulse responses from flat drivers without crossovers to the ears of one seat.

        Every image is followed with the patterns of drivers and ears, up to the full order: best for one seat at full
        bandwidth. For more heads or turns of one, see `place`.

        Parameters
        ----------
        seat : Seat
            The head, in the frame of the device.
        rendering : Rendering
            Length, sample rate, images.
        threads, progress
            See `forestage.acoustics.room.room_response`.

        Returns
        -------
        ndarray of float32, shape (2, drivers, frames)
            They start when the drivers sound, relative to a point source at 1 m.
        """
        position = self.check_seat(seat)
        receivers = self._ear_patterns([seat], rendering)
        far = np.empty((len(self.device.drivers), 2, math.ceil(rendering.room_s * rendering.sample_rate)), np.float32)
        sources = self._sources(rendering)
        for index, source in enumerate(sources):
            far[source.drivers] = room_response(
                self.room,
                source_m=source.position_m,
                receiver_m=position,
                length_s=rendering.room_s,
                source=source.patterns,
                receiver=receivers,
                sample_rate=rendering.sample_rate,
                images=rendering.images,
                threads=threads,
                progress=_part(progress, index, len(sources)),
            )
        return self._with_near_field([seat], far, receivers, sources, rendering)[0]

    def place(
        self,
        seat: Seat,
        rendering: Rendering,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> ListeningPlace:
        """Expand the room at a seat, for any turn of its head, and for other heads that are no larger.

        The cost grows with the fourth power of ``rendering.highest_hz``: with 3 kHz, a small speaker and 0.4 s at
        16 kHz take some seconds, and reflections are right to -50 dB up to 3 kHz and to 0.1 dB of power in the octave
        above.

        Parameters are those of `ears`.
        """
        receiver_m = self.check_seat(seat)
        sources = self._sources(rendering)
        spectra: dict[int, ComplexArray] = {}
        for index, source in enumerate(sources):
            tensor = room_tensor(
                self.room,
                source_m=source.position_m,
                receiver_m=receiver_m,
                source_order=math.isqrt(source.patterns.shape[1]) - 1,
                receiver_order=pattern_order(seat.head.radius_m, rendering.highest_hz),
                length_s=rendering.room_s,
                sample_rate=rendering.sample_rate,
                images=rendering.images,
                threads=threads,
                progress=_part(progress, index, len(sources)),
            )
            sent = rfft(source.patterns.astype(np.float32), tensor.fft_frames)
            spectra |= zip(source.drivers, np.einsum("dif,ijf->djf", sent, tensor.spectrum), strict=True)
        spectrum = np.stack([spectra[index] for index in range(len(spectra))])
        return ListeningPlace(self, seat, rendering, sources, spectrum, tensor.fft_frames)

    def _sources(self, rendering: Rendering) -> list[Source]:
        fields = self.device.fields
        shared: dict[tuple[float, ...], list[int]] = {}
        for index, radiated in enumerate(fields):
            shared.setdefault((*radiated.centre_m.tolist(), radiated.extent_m), []).append(index)
        sources = []
        for (*centre_m, _), drivers in shared.items():
            together = tuple(fields[index] for index in drivers)
            patterns = _driver_patterns(together, sample_rate=rendering.sample_rate, highest_hz=rendering.highest_hz)
            sources.append(Source(drivers, self.in_room(centre_m), turned(patterns, self.axes)))
        return sources

    def _ear_patterns(self, seats: Sequence[Seat], rendering: Rendering) -> FloatArray:
        """Patterns of the ears of one head that is turned, shape (2 turns, harmonics, taps)."""
        head = seats[0].head
        patterns = _head_patterns(head, sample_rate=rendering.sample_rate, highest_hz=rendering.highest_hz)
        return np.concatenate([turned(patterns, self.axes @ seat.axes) for seat in seats])

    def _with_near_field(
        self,
        seats: Sequence[Seat],
        far: Responses,
        receivers: FloatArray,
        sources: Sequence[Source],
        rendering: Rendering,
    ) -> Responses:
        """Put the exact direct sound in the place of the far-field one, shape (seats, 2, drivers, frames)."""
        anechoic = replace(self.room, absorption=np.array(1.0))
        reflected = far.copy()
        for source in sources:
            reflected[source.drivers] -= room_response(
                anechoic,
                source_m=source.position_m,
                receiver_m=self.in_room(seats[0].position_m),
                length_s=rendering.room_s,
                source=source.patterns,
                receiver=receivers,
                sample_rate=rendering.sample_rate,
                images=DIRECT_ONLY,
            )
        frames = math.ceil(rendering.length_s * rendering.sample_rate)
        reflected = reflected[..., rendering.lead_frames :][..., :frames]
        if rendering.leak_hz > 0.0:
            leak = butter(2, rendering.leak_hz, "highpass", fs=rendering.sample_rate, output="sos")
            reflected = sosfilt(leak, reflected).astype(np.float32)
        ears = np.moveaxis(reflected.reshape(len(far), len(seats), 2, frames), 0, 2)
        return ears + np.stack([self.direct(seat, rendering) for seat in seats])

    def direct(self, seat: Seat, rendering: Rendering = HALF_A_SECOND) -> Responses:
        """What of `ears` would be there without the room, shape (2, drivers, frames)."""
        frames = math.ceil(rendering.length_s * rendering.sample_rate)
        free = geometry(self.device, seat)
        if not free.delay_s < rendering.length_s:
            raise ValueError(f"length_s = {rendering.length_s}: must be above {free.delay_s:.4f}, when sound arrives")
        rate = rendering.sample_rate
        transform = next_fast_len(frames + rendering.lead_frames, real=True)
        frequency = np.fft.rfftfreq(transform, 1 / rate)
        spectrum = free.at(frequency) * np.exp(-2j * np.pi * frequency * free.delay_s) * band_end(frequency, rate)
        return irfft(spectrum, transform)[..., :frames].astype(np.float32)


@dataclass(frozen=True, repr=False)
class ListeningPlace(ShortRepr):
    """A device in a room, at one point: what any receiver hears there is a cheap sum.

    Parameters
    ----------
    scene : DeviceInRoom
        The device in its room.
    seat : Seat
        The head; its turn does not matter.
    rendering : Rendering
        What was computed.
    sources : list of Source
        The drivers.
    spectrum : ndarray of complex, shape (drivers, (receiver_order + 1)^2, bins)
        From every driver to every harmonic of the receiver.
    fft_frames : int
        Length of the transform behind ``spectrum``.
    """

    scene: DeviceInRoom
    seat: Seat
    rendering: Rendering
    sources: list[Source] = field(repr=False)
    spectrum: ComplexArray = field(repr=False)
    fft_frames: int

    def ears(self, yaw_deg: ArrayLike = 0.0, *, head: Head | MeasuredHead | None = None) -> Responses:
        """Impulse responses to the ears of a head that is turned, as `DeviceInRoom.ears`.

        Parameters
        ----------
        yaw_deg : array_like, shape (turns,)
            How far the head is turned to its own left.
        head : Head or MeasuredHead, optional
            Another head than that of the seat.

        Returns
        -------
        ndarray of float32, shape (turns, 2, drivers, frames)
        """
        head = head or self.seat.head
        seats = [Seat(self.seat.position_m, float(yaw), head) for yaw in np.atleast_1d(yaw_deg)]
        receivers = self.scene._ear_patterns(seats, self.rendering)
        return self.scene._with_near_field(seats, self._far(receivers), receivers, self.sources, self.rendering)

    def microphones(self, patterns: ArrayLike) -> Responses:
        """Impulse responses to receivers with directivity in a sealed room, their direct sound in the far field.

        Parameters
        ----------
        patterns : array_like, shape (receivers, (order + 1)^2)
            Harmonics in the axes of the room, such as `forestage.acoustics.room.OMNI`.

        Returns
        -------
        ndarray of float32, shape (receivers, drivers, frames)
        """
        flat = np.asarray(patterns, dtype=np.float64)[..., None]
        frames = math.ceil(self.rendering.length_s * self.rendering.sample_rate)
        return self._far(flat)[..., self.rendering.lead_frames // 2 :][..., :frames].swapaxes(0, 1)

    def _far(self, receivers: FloatArray) -> Responses:
        """Responses with all images in the far field, patterns' delays included, shape (drivers, receivers, frames)."""
        heard = rfft(receivers.astype(np.float32), self.fft_frames)
        spectrum = self.spectrum[:, : heard.shape[1]]
        responses = irfft(np.einsum("rjf,djf->drf", heard, spectrum), self.fft_frames).astype(np.float32)
        frames = math.ceil(self.rendering.room_s * self.rendering.sample_rate)
        return responses[..., _core.LEAD_FRAMES : _core.LEAD_FRAMES + frames]


def _part(progress: Progress | None, index: int, count: int) -> Progress | None:
    """Progress of one of several equal parts."""
    if progress is None:
        return None
    return lambda share: progress((index + share) / count)
