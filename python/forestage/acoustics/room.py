"""What a room makes of a source with directivity at a receiver with directivity.

The image-source model of `cpp/room`, in two forms. `room_response` follows every image with the patterns of the
source and of the receiver: the direct form. `room_tensor` expands the room once over pairs of spherical harmonics (Luo
and Kim, "Fast source-room-receiver acoustics modeling", EUSIPCO 2020); responses of any source, receiver and
orientation at these two positions are then a cheap sum over the tensor.

Patterns are real spherical harmonics in the axes of the room (`forestage.acoustics.spherical_harmonics`): of a source,
the pressure at 1 m towards each direction; of a receiver, its output for a wave from each direction. Their coefficients
are numbers, shape ``(patterns, (order + 1)^2)``, or FIRs, shape ``(patterns, (order + 1)^2, taps)``. An omnidirectional
one is `OMNI`. Responses are relative to an omnidirectional source at 1 m in the free field, and start when it sounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from queue import SimpleQueue

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, rfft
from scipy.sparse import csr_array, vstack

from forestage import _core
from forestage.acoustics.image_sources import (
    ImageRun,
    Images,
    Progress,
    Responses,
    check_memory,
    checked_receivers,
    each_mirror,
    each_part,
    worker_count,
)
from forestage.acoustics.shoebox import Room
from forestage.acoustics.spherical_harmonics import product_quadrature, real_sh
from forestage.arrays import FloatArray
from forestage.blas import one_thread
from forestage.constants import SAMPLE_RATE
from forestage.short_repr import ShortRepr

OMNI = np.full((1, 1), math.sqrt(4 * math.pi), dtype=np.float32)
ALL_IMAGES = Images()
# More images than that are worth threads; less multiplications than that are not
LONG_IMAGES, SHORT_PRODUCTS = 2_000_000, 10**8
# Patterns alike around an axis to this share of their peak are so
ALIKE = 3e-7


@dataclass(frozen=True, repr=False)
class RoomTensor(ShortRepr):
    """A room between two positions, for all pairs of harmonics of source and receiver.

    Parameters
    ----------
    spectrum : ndarray of complex64, shape ((source_order + 1)^2, (receiver_order + 1)^2, bins)
        Spectra of the responses between pairs of harmonics.
    sample_rate : int
        In Hz.
    frames : int
        Length of the responses.
    fft_frames : int
        Length of the transform behind ``spectrum``; what exceeds ``frames`` is room for the taps of patterns.
    pattern_frames : int
        Most taps that a source and a receiver pattern may have together.
    """

    spectrum: NDArray[np.complex64] = field(repr=False)
    sample_rate: int
    frames: int
    fft_frames: int
    pattern_frames: int

    # Many small matrices: threads only cost time, and several times as much where other work runs.
    @one_thread
    def responses(self, source: ArrayLike, receiver: ArrayLike) -> Responses:
        """Impulse responses from sources to receivers.

        Parameters
        ----------
        source : array_like, shape (sources, (order + 1)^2) or (sources, (order + 1)^2, taps)
            Patterns, of an order up to the tensor's.
        receiver : array_like, shape (receivers, (order + 1)^2) or (receivers, (order + 1)^2, taps)
            Patterns, of an order up to the tensor's.

        Returns
        -------
        ndarray of float32, shape (sources, receivers, frames)
        """
        sources = _patterns(source, "source")
        receivers = _patterns(receiver, "receiver")
        for name, patterns, available in (
            ("source", sources, self.spectrum.shape[0]),
            ("receiver", receivers, self.spectrum.shape[1]),
        ):
            if patterns.shape[1] > available:
                raise ValueError(f"{name}: {patterns.shape[1]} harmonics; the tensor has {available}")
        taps = sources.shape[2] + receivers.shape[2]
        if taps > max(self.pattern_frames, 2):
            raise ValueError(f"source, receiver: {taps} taps together; the tensor has room for {self.pattern_frames}")
        tensor = self.spectrum[: sources.shape[1], : receivers.shape[1]]
        heard = self._contract(receivers, tensor)
        sent = self._contract(sources, np.ascontiguousarray(heard.transpose(1, 0, 2)))
        return _cut(sent.transpose(1, 0, 2), self.fft_frames, self.frames)

    def _contract(self, patterns: Responses, spectra: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Sum over harmonics: patterns (n, harmonics, taps) and spectra (..., harmonics, bins) to (..., n, bins)."""
        if patterns.shape[2] == 1:
            return np.matmul(patterns[..., 0], spectra.view(np.float32)).view(np.complex64)
        return np.einsum("nkf,...kf->...nf", rfft(patterns, self.fft_frames), spectra)


def room_tensor(
    room: Room,
    *,
    source_m: ArrayLike,
    receiver_m: ArrayLike,
    source_order: int,
    receiver_order: int,
    length_s: float,
    sample_rate: int = SAMPLE_RATE,
    images: Images = ALL_IMAGES,
    pattern_frames: int = 512,
    threads: int | None = None,
    progress: Progress | None = None,
) -> RoomTensor:
    """Expand a room over pairs of spherical harmonics of source and receiver.

    Parameters
    ----------
    room : Room
        The room.
    source_m, receiver_m : array_like, shape (3,)
        Positions in the room in metres.
    source_order, receiver_order : int
        Highest orders of the patterns to come.
    length_s : float
        Length of the responses in seconds.
    sample_rate : int
        In Hz.
    images : Images
        Which image sources sound.
    pattern_frames : int
        Most taps that a source and a receiver pattern may have together.
    threads : int, optional
        As many as the machine has cores by default.
    progress : callable, optional
        Called now and then with the share that is done, 0..1. An exception in it, as Ctrl-C, ends the computation.

    Returns
    -------
    RoomTensor
        The room, ready for any source and receiver.

    Raises
    ------
    MemoryError
        When the tensor would not fit; the message says how much is needed.
    """
    for name, value in (
        ("source_order", source_order),
        ("receiver_order", receiver_order),
        ("pattern_frames", pattern_frames),
    ):
        if value < 0:
            raise ValueError(f"{name} = {value}: must be at least 0")
    run = ImageRun.of(room, source_m, receiver_m, length_s, sample_rate, images, pattern_frames)
    order = source_order + receiver_order
    workers = worker_count(threads)
    shape = (run.bands, (order + 1) ** 2, run.fft_frames)
    bins = run.fft_frames // 2 + 1
    tensor_bytes = 8 * (source_order + 1) ** 2 * (receiver_order + 1) ** 2 * bins
    moments_bytes = 8 * _core.MIRRORS * shape[1] * bins
    check_memory(
        tensor_bytes + moments_bytes + workers * (4 * math.prod(shape) + moments_bytes // 4 + run.worker_bytes),
        f"source_order = {source_order}, receiver_order = {receiver_order}, length_s = {length_s}",
    )
    if order > _core.HIGHEST_ORDER:
        raise ValueError(
            f"source_order, receiver_order = {source_order}, {receiver_order}: must add up to {_core.HIGHEST_ORDER} "
            "at most"
        )
    buffers: SimpleQueue[Responses] = SimpleQueue()
    for _ in range(workers):
        buffers.put(np.empty(shape, dtype=np.float32))
    moments = np.empty((_core.MIRRORS, shape[1], bins), dtype=np.complex64)

    def gather(mirror: int, cancel: _core.CancelFlag) -> None:
        buffer = buffers.get()
        try:
            run.model.moments(mirror, order=order, out=buffer, cancel=cancel)
            moments[mirror] = run.full_band(buffer)
        finally:  # another mirror may wait for it, also when this one is cancelled
            buffers.put(buffer)

    each_mirror(gather, workers, progress)
    spectrum = _expand(moments, source_order, receiver_order)
    return RoomTensor(spectrum, sample_rate, run.frames, run.fft_frames, pattern_frames)


def room_response(
    room: Room,
    *,
    source_m: ArrayLike,
    receiver_m: ArrayLike,
    length_s: float,
    source: ArrayLike = OMNI,
    receiver: ArrayLike = OMNI,
    sample_rate: int = SAMPLE_RATE,
    images: Images = ALL_IMAGES,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Responses:
    """Impulse responses of a room between the patterns of a source and of a receiver, image by image.

    Parameters
    ----------
    room : Room
        The room.
    source_m : array_like, shape (3,)
        Position of the source in the room in metres.
    receiver_m : array_like, shape (3,) or (places, 3)
        Position of the receiver, or several: without directivity, many at once take little more than one.
    length_s : float
        Length of the responses in seconds.
    source : array_like, shape (sources, (order + 1)^2) or (sources, (order + 1)^2, taps)
        Patterns of the source.
    receiver : array_like, shape (receivers, (order + 1)^2) or (receivers, (order + 1)^2, taps)
        Patterns of the receiver.
    sample_rate : int
        In Hz.
    images : Images
        Which image sources sound.
    threads : int, optional
        As many as the machine has cores by default.
    progress : callable, optional
        Called now and then with the share that is done, 0..1. An exception in it, as Ctrl-C, ends the computation.

    Returns
    -------
    ndarray of float32, shape (sources, receivers, frames), or (places, sources, receivers, frames) for several places

    Examples
    --------
    In a room without echo, sound falls with distance:

    >>> room = Room("Anechoic", (5.0, 4.0, 3.0), 1.0)
    >>> h = room_response(room, source_m=(1, 2, 1.5), receiver_m=(4.43, 2, 1.5), length_s=0.02)
    >>> int(np.argmax(h)), round(float(np.max(h)) * 3.43, 3)
    (480, 1.0)
    """
    sources, receivers = _patterns(source, "source"), _patterns(receiver, "receiver")
    places = np.asarray(receiver_m, dtype=np.float64)
    if places.ndim != 1 and (places.ndim != 2 or places.shape[1] != 3 or len(places) == 0):
        raise ValueError(f"receiver_m: shape {places.shape}; must be (3,) or (places, 3)")
    all_places = np.atleast_2d(places)
    taps = sources.shape[2] + receivers.shape[2]
    run = ImageRun.of(room, source_m, all_places[0], length_s, sample_rate, images, taps)
    checked_receivers(room, np.asarray(source_m, dtype=np.float64), all_places)
    workers = worker_count(threads)
    pairs = len(sources) * len(receivers)
    is_omni = sources.shape[1:] == receivers.shape[1:] == (1, 1)
    responses_bytes = 4 * run.bands * run.fft_frames
    check_memory(
        responses_bytes * ((_core.MIRRORS + 2) * (1 if is_omni else pairs) + len(all_places) * pairs)
        + workers * run.worker_bytes,
        f"source, receiver: {pairs} pairs, length_s = {length_s}",
    )
    if is_omni:
        gains = np.multiply.outer(sources[:, 0, 0], receivers[:, 0, 0])[..., None] / np.float32(4 * math.pi)
        found = _omni(run, all_places, workers, progress)[:, None, None]
        if pairs > 1 or gains[0, 0, 0] != 1.0:
            found = np.multiply(gains, found, dtype=np.float32)
    else:
        made = [replace(run, model=run.model.at(place)) for place in all_places]
        found = np.stack([_directed(each, sources, receivers, workers, progress) for each in made])
    return np.asarray(found if places.ndim == 2 else found[0], dtype=np.float32)


def _omni(run: ImageRun, places: FloatArray, workers: int, progress: Progress | None) -> Responses:
    """Responses without directivity, shape (places, frames).

    Whether mirrors are summed apart depends on how many images there are, not on the threads: the same bits with any.
    """
    is_long = run.image_count > LONG_IMAGES
    mirrors = [1 << mirror for mirror in range(_core.MIRRORS)] if is_long else [(1 << _core.MIRRORS) - 1]
    parts = np.array_split(places, min(len(places), workers))
    first, frames = (_core.LEAD_FRAMES, run.frames) if run.bands == 1 else (0, run.fft_frames)
    jobs = [(part, wanted) for part in parts for wanted in mirrors]

    def follow(index: int, cancel: _core.CancelFlag) -> Responses:
        part, wanted = jobs[index]
        return run.model.omni(part, mirrors=wanted, first=first, frames=frames, cancel=cancel)

    is_short = run.image_count * len(places) <= LONG_IMAGES
    found = each_part(follow, len(jobs), 0 if is_short else workers, progress)
    groups = [found[start : start + len(mirrors)] for start in range(0, len(found), len(mirrors))]
    summed = [sum(others, start=first) for first, *others in groups]
    responses = summed[0] if len(summed) == 1 else np.concatenate(summed)
    return responses[:, 0] if run.bands == 1 else run.cut(responses.swapaxes(0, 1))


def _directed(
    run: ImageRun, sources: Responses, receivers: Responses, workers: int, progress: Progress | None
) -> Responses:
    """Responses between patterns, shape (sources, receivers, frames)."""
    core_sources, core_receivers = _for_core(sources), _for_core(receivers)

    def follow(mirror: int, cancel: _core.CancelFlag) -> Responses:
        return run.model.responses(
            mirror, sources=core_sources, receivers=core_receivers, frames=run.fft_frames, cancel=cancel
        )

    is_short = run.image_count * (sources.size + receivers.size) <= SHORT_PRODUCTS
    first, *others = each_mirror(follow, 0 if is_short else workers, progress)
    return run.cut(sum(others, start=first))


def _for_core(patterns: Responses) -> _core.Patterns:
    """Patterns as the core takes them: those that are alike around an axis by their degrees, which are few."""
    by_degree = _by_degree(patterns)
    if by_degree is None:
        return _core.Patterns(np.ascontiguousarray(patterns.swapaxes(1, 2)))
    return _core.Patterns(*by_degree)


def _by_degree(patterns: Responses) -> tuple[Responses, Responses] | None:
    """Taps per degree, shape (patterns, taps, order + 1), and axes; None where a pattern is not alike around one."""
    order = math.isqrt(patterns.shape[1]) - 1
    taps = np.empty((len(patterns), patterns.shape[2], order + 1), dtype=np.float32)
    axes = np.zeros(patterns.shape[:2], dtype=np.float32)
    bound = ALIKE * float(np.abs(patterns).max())
    for degree in range(order + 1):
        own = slice(degree**2, (degree + 1) ** 2)
        block = patterns[:, own]
        power = np.sum(block**2, axis=1)
        strongest = np.argmax(power, axis=1)[:, None]
        level = np.sqrt(np.take_along_axis(power, strongest, axis=1))
        axis = np.take_along_axis(block, strongest[:, None], axis=2)[..., 0] / np.maximum(level, np.float32(1e-30))
        taps[..., degree] = np.einsum("pm,pmt->pt", axis, block)
        if np.max(np.abs(block - axis[..., None] * taps[:, None, :, degree])) > bound:
            return None
        axes[:, own] = axis
    return taps, axes


def _patterns(values: ArrayLike, name: str) -> Responses:
    patterns = np.asarray(values, dtype=np.float32)
    if patterns.ndim == 2:
        patterns = patterns[..., None]
    if patterns.ndim != 3 or patterns.size == 0 or math.isqrt(patterns.shape[1]) ** 2 != patterns.shape[1]:
        raise ValueError(
            f"{name}: shape {np.shape(values)}; must be (patterns, (order + 1)^2) or (patterns, (order + 1)^2, taps)"
        )
    order = math.isqrt(patterns.shape[1]) - 1
    if order > _core.HIGHEST_ORDER:
        raise ValueError(f"{name}: order {order}; must be {_core.HIGHEST_ORDER} at most")
    if not np.isfinite(patterns).all():
        raise ValueError(f"{name}: holds values that are not finite")
    return patterns


def _cut(spectrum: NDArray[np.complexfloating], fft_frames: int, frames: int) -> Responses:
    return irfft(spectrum, fft_frames)[..., _core.LEAD_FRAMES : _core.LEAD_FRAMES + frames].astype(np.float32)


@lru_cache(maxsize=4)
def _coupling(source_order: int, receiver_order: int) -> list[tuple[tuple[float, ...], list[int], csr_array]]:
    """Integrals of products of three harmonics, by the signs that mirrors give to the source's.

    Returns
    -------
    list of (signs, members, matrix)
        Source harmonics ``members`` take ``signs``, one per mirror; the matrix, shape (members * receiver harmonics,
        harmonics of the product), holds their integrals.
    """
    order = source_order + receiver_order
    quadrature = product_quadrature(order)
    products = real_sh(quadrature.directions, order)
    weighted = products * quadrature.weights[:, None]
    receivers = products[:, : (receiver_order + 1) ** 2]
    groups: dict[tuple[float, ...], list[int]] = {}
    for index, signs in enumerate(_core.departure_signs(source_order).T.tolist()):
        groups.setdefault(tuple(signs), []).append(index)

    def integrals(index: int) -> csr_array:
        values = (products[:, index, None] * receivers).T @ weighted
        return csr_array(np.where(np.abs(values) < 1e-9, 0.0, values).astype(np.float32))

    return [(signs, members, vstack([integrals(i) for i in members], "csr")) for signs, members in groups.items()]


@one_thread
def _expand(moments: NDArray[np.complex64], source_order: int, receiver_order: int) -> NDArray[np.complex64]:
    """Tensor over pairs of harmonics from the moments of all mirrors, shape (mirrors, harmonics, bins)."""
    bins = moments.shape[2]
    tensor = np.empty(((source_order + 1) ** 2, (receiver_order + 1) ** 2, bins), dtype=np.complex64)
    for signs, members, matrix in _coupling(source_order, receiver_order):
        signed = np.tensordot(np.array(signs, dtype=np.float32), moments, 1)
        tensor[members] = (matrix @ signed.view(np.float32)).view(np.complex64).reshape(len(members), -1, bins)
    return tensor
