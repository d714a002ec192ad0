"""The image-source model of the core: which images sound, how bands come together, and the threads that work on it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfft

from forestage import _core
from forestage.acoustics.scattering import STEP_S, diffuse_energy
from forestage.acoustics.shoebox import OCTAVES_HZ, Room
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.short_repr import ShortRepr

# Band filters of octaves are symmetric in time: this much room on each side of a response keeps them from wrapping.
RINGING_S = 0.05
# The last image's interpolation kernel, laid into the window of the core.
WINDOW_FRAMES = 64
NEAREST_M = 0.01
MOST_REFLECTIONS = 10**9
# So much memory there is without asking
ALWAYS_BYTES = 1 << 24
MOST_JITTER_M = 1.0

# Of octave_weights: the weights themselves, and what comes up on the way.
WEIGHT_ROWS = 4 * len(OCTAVES_HZ)

Responses = NDArray[np.float32]
IntArray = NDArray[np.integer]
Progress = Callable[[float], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Images:
    """Which image sources sound.

    Parameters
    ----------
    max_order : int, optional
        Most reflections of an image; any number by default.
    until_s : float, optional
        Images that arrive later are replaced by statistical ones of the same density, directions and energy: a diffuse
        tail, whose cost does not grow with the cube of time. By default the images fill the whole response.
    scattering : float or tuple of float
        Share of what walls reflect that goes into all directions instead of one, 0..1, or one share for each octave of
        `OCTAVES_HZ`. It leaves the images for a diffuse field, which decays as Eyring says. 0.1 to 0.3 is usual in
        furnished rooms; with 0, mirror walls, flat rooms reverberate longer than Eyring's time.
    jitter_m : float
        Images are moved at random by up to this along each axis, so that regular rooms do not sweep. 0.1 is usual.
    seed : int
        The same seed gives the same tail, the same diffuse field and the same moves.
    """

    max_order: int | None = None
    until_s: float | None = None
    scattering: float | tuple[float, ...] = 0.0
    jitter_m: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        order = self.max_order
        if order is not None and not (0 <= order <= MOST_REFLECTIONS and order == int(order)):
            raise ValueError(f"max_order = {order}: must be a whole number within 0..{MOST_REFLECTIONS}")
        if self.max_order is not None and self.until_s is not None:
            raise ValueError(f"until_s = {self.until_s}: a tail continues all images, not those up to max_order")
        if self.until_s is not None and not 0.0 < self.until_s < math.inf:
            raise ValueError(f"until_s = {self.until_s}: must be above 0")
        shares = np.asarray(self.scattering, dtype=np.float64)
        if shares.shape not in ((), (len(OCTAVES_HZ),)) or not ((shares >= 0.0) & (shares <= 1.0)).all():
            raise ValueError(
                f"scattering = {self.scattering}: must be within 0..1, one share or {len(OCTAVES_HZ)} per octave"
            )
        if self.max_order is not None and shares.any():
            raise ValueError(f"scattering = {self.scattering}: takes all images, not those up to max_order")
        if not 0.0 <= self.jitter_m <= MOST_JITTER_M:
            raise ValueError(f"jitter_m = {self.jitter_m}: must be within 0..{MOST_JITTER_M:g}")
        if not 0 <= self.seed < 2**60:
            raise ValueError(f"seed = {self.seed}: must be within 0..2^60")


@dataclass(frozen=True, repr=False)
class ImageRun(ShortRepr):
    """The image model of the core, and how its bands come together."""

    model: _core.ImageModel
    band_of_octave: IntArray
    sample_rate: int
    frames: int
    fft_frames: int
    image_count: float  # at most
    worker_bytes: int  # that a thread takes besides its responses

    @property
    def bands(self) -> int:
        """How many bands there are: one when all octaves are alike."""
        return int(self.band_of_octave.max()) + 1

    @cached_property
    def weights(self) -> Responses:
        """Of each band at each frequency, shape (bands, bins); they add up to 1. Made after memory was checked."""
        octaves = octave_weights(np.fft.rfftfreq(self.fft_frames, 1 / self.sample_rate))
        return (np.equal.outer(np.arange(self.bands), self.band_of_octave) @ octaves).astype(np.float32)

    @classmethod
    def of(
        cls,
        room: Room,
        source_m: ArrayLike,
        receiver_m: ArrayLike,
        length_s: float,
        sample_rate: int,
        images: Images,
        pattern_frames: int,
    ) -> ImageRun:
        """Check everything, and lay out responses with room for patterns that have ``pattern_frames`` taps."""
        source = room.check_inside(source_m, "source_m")
        receiver = checked_receivers(room, source, np.atleast_2d(np.asarray(receiver_m, dtype=np.float64)))[0]
        _above_zero(length_s, "length_s")
        _above_zero(sample_rate, "sample_rate")
        # Octaves in which no wall differs share one band.
        walls = np.vstack([room.absorption, np.broadcast_to(images.scattering, len(OCTAVES_HZ))])
        octaves = [tuple(octave) for octave in walls.T.tolist()]
        different = sorted(set(octaves))
        *absorption, scattering = np.array(different).T
        members = np.array([different.index(octave) for octave in octaves])
        bands = len(different)
        frames = math.ceil(length_s * sample_rate)
        ringing = 2 * math.ceil(RINGING_S * sample_rate) if bands > 1 else 0
        jitter = math.ceil(math.sqrt(3) * images.jitter_m / SPEED_OF_SOUND_M_S * sample_rate)
        fft_frames = next_fast_len(
            _core.LEAD_FRAMES + frames + jitter + WINDOW_FRAMES + pattern_frames + ringing, real=True
        )
        until = length_s if images.until_s is None else min(images.until_s, length_s)
        model = _core.ImageModel(
            dimensions_m=room.dimensions_m,
            reflection=np.sqrt((1.0 - np.array(absorption)) * (1.0 - scattering)),
            diffuse=diffuse_energy(room.dimensions_m, absorption, scattering, length_s),
            diffuse_step_s=STEP_S,
            source_m=source,
            receiver_m=receiver,
            sample_rate=sample_rate,
            image_s=until,
            response_s=length_s,
            max_order=-1 if images.max_order is None else int(images.max_order),
            jitter_m=images.jitter_m,
            seed=images.seed,
        )
        image_count = _image_count(room, until, length_s, images)
        image_bytes = 2 * image_count / _core.MIRRORS * (24 + 4 * bands)
        weight_bytes = 8 * WEIGHT_ROWS * (fft_frames // 2 + 1) if bands > 1 else 0
        worker_bytes = int(image_bytes) + weight_bytes
        return cls(model, members, sample_rate, frames, fft_frames, image_count, worker_bytes)

    def cut(self, responses: Responses) -> Responses:
        """Responses over the whole band and of the length that is wanted, from those in bands as in `full_band`."""
        whole = responses[0] if self.bands == 1 else irfft(self.full_band(responses), self.fft_frames)
        return whole[..., _core.LEAD_FRAMES : _core.LEAD_FRAMES + self.frames].astype(np.float32, copy=False)

    def full_band(self, responses: Responses) -> ComplexArray:
        """Spectra, shape (..., bins), of responses in bands, shape (bands, ..., fft_frames)."""
        if self.bands == 1:
            return rfft(responses[0])
        total = self.weights[0] * rfft(responses[0])
        for weight, band in zip(self.weights[1:], responses[1:], strict=True):
            total += weight * rfft(band)
        return total


def checked_receivers(room: Room, source: FloatArray, receivers: FloatArray) -> FloatArray:
    """Return the places of receivers, shape (places, 3), or say why one cannot be there."""
    if receivers.shape[1:] != (3,):
        room.check_inside(receivers[0], "receiver_m")
    is_inside = np.all((receivers > 0.0) & (receivers < room.dimensions_m), axis=-1)
    for receiver in receivers[~is_inside]:
        room.check_inside(receiver, "receiver_m")
    for receiver in receivers[np.linalg.norm(receivers - source, axis=-1) < NEAREST_M]:
        raise ValueError(f"receiver_m = {receiver.tolist()}: the source stands there; must be 1 cm away or more")
    return receivers


def octave_weights(frequency_hz: ArrayLike) -> FloatArray:
    """Interpolation between octaves: raised cosines over log frequency that add up to 1, shape (7, n)."""
    frequency = np.maximum(np.asarray(frequency_hz, dtype=np.float64), 1e-9)
    octave = np.clip(np.log2(frequency / OCTAVES_HZ[0]), 0.0, len(OCTAVES_HZ) - 1.0)
    away = np.minimum(np.abs(octave - np.arange(len(OCTAVES_HZ))[:, None]), 1.0)
    return 0.5 + 0.5 * np.cos(np.pi * away)


def _image_count(room: Room, until_s: float, length_s: float, images: Images) -> float:
    """How many images there are at most: those in a sphere and then a steady stream, or those up to an order."""
    reach = SPEED_OF_SOUND_M_S * until_s
    tail = SPEED_OF_SOUND_M_S * (length_s - until_s)
    count = 4 * math.pi * reach**2 * (reach / 3 + tail) / room.volume_m3
    if np.any(images.scattering):
        return 2 * count + _core.LEAST_PER_SECOND * until_s
    return count if images.max_order is None else min(count, (2 * images.max_order + 1) ** 3)


def _above_zero(value: float, where: str) -> None:
    if not 0.0 < value < math.inf:
        raise ValueError(f"{where} = {value}: must be above 0")


def worker_count(threads: int | None) -> int:
    """Threads to work with; the cores of the machine by default, and never more than there are mirrors."""
    if threads is not None and threads < 1:
        raise ValueError(f"threads = {threads}: must be at least 1")
    return min(threads or os.cpu_count() or 1, _core.MIRRORS)


def each_mirror(
    work: Callable[[int, _core.CancelFlag], Result], threads: int, progress: Progress | None
) -> list[Result]:
    """Results of work(mirror, cancel) for every mirror; see `each_part`."""
    return each_part(work, _core.MIRRORS, threads, progress)


def each_part(
    work: Callable[[int, _core.CancelFlag], Result], parts: int, threads: int, progress: Progress | None
) -> list[Result]:
    """Results of work(part, cancel) for every part, made in threads; Ctrl-C and errors stop them all at once.

    Without threads, for what is done at once, Ctrl-C waits for a part.
    """
    cancel = _core.CancelFlag()
    if threads == 0:
        results = [work(part, cancel) for part in range(parts)]
        if progress is not None:
            progress(1.0)
        return results
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work, part, cancel) for part in range(parts)]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                if progress is not None:
                    progress(done / len(futures))
        except BaseException:
            cancel.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def check_memory(needed_bytes: int, where: str) -> None:
    """Refuse, before it begins, what would not fit."""
    if needed_bytes <= ALWAYS_BYTES:
        return
    free = _available_bytes()
    if needed_bytes > free:
        raise MemoryError(
            f"{where}: needs {needed_bytes / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are available; lower orders, "
            "a shorter response or an earlier tail (Images.until_s) need less"
        )


def _available_bytes() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
