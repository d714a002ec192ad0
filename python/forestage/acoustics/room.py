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
from dataclasses import dataclass, field
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
    each_mirror,
    worker_count,
)
from forestage.acoustics.shoebox import Room
from forestage.acoustics.spherical_harmonics import product_quadrature, real_sh
from forestage.blas import one_thread
from forestage.constants import SAMPLE_RATE
from forestage.short_repr import ShortRepr

OMNI = np.full((1, 1), math.sqrt(4 * math.pi), dtype=np.float32)
ALL_IMAGES = Images()


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
    source_m, receiver_m : array_like, shape (3,)
        Positions in the room in metres.
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
    ndarray of float32, shape (sources, receivers, frames)

    Examples
    --------
    In a room without echo, sound falls with distance:

    >>> room = Room("Anechoic", (5.0, 4.0, 3.0), 1.0)
    >>> h = room_response(room, source_m=(1, 2, 1.5), receiver_m=(4.43, 2, 1.5), length_s=0.02)
    >>> int(np.argmax(h)), round(float(np.max(h)) * 3.43, 3)
    (480, 1.0)
    """
    sources = np.ascontiguousarray(_patterns(source, "source").transpose(0, 2, 1))
    receivers = np.ascontiguousarray(_patterns(receiver, "receiver").transpose(0, 2, 1))
    taps = sources.shape[1] + receivers.shape[1]
    run = ImageRun.of(room, source_m, receiver_m, length_s, sample_rate, images, taps)
    workers = worker_count(threads)
    pairs = len(sources) * len(receivers)
    check_memory(
        4 * (_core.MIRRORS + 2) * run.bands * pairs * run.fft_frames + workers * run.worker_bytes,
        f"source, receiver: {pairs} pairs, length_s = {length_s}",
    )

    def follow(mirror: int, cancel: _core.CancelFlag) -> Responses:
        return run.model.responses(mirror, sources=sources, receivers=receivers, frames=run.fft_frames, cancel=cancel)

    first, *others = each_mirror(follow, workers, progress)
    responses = sum(others, start=first)
    return _cut(run.full_band(responses), run.fft_frames, run.frames)


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
