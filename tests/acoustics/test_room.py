"""Is the room right? Against pyroomacoustics, closed forms and reciprocity; and one form against the other."""

import json
import math
import os
import signal
import threading
import time

import numpy as np
import pytest

from forestage import _core
from forestage.acoustics.image_sources import ImageRun, Images, octave_weights
from forestage.acoustics.room import OMNI, room_response, room_tensor
from forestage.acoustics.shoebox import OCTAVES_HZ, Room, cover
from forestage.acoustics.spherical_harmonics import product_quadrature, real_sh
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.metrics.room import drr_db
from places import GOLDEN
from room_oracles import error_db, exact_spectrum, first_order, other_room, spectrum_at

SOURCE = (1.1, 1.9, 1.2)
RECEIVER = (3.4, 2.3, 1.1)
BOX = Room("Box", (5.0, 4.0, 2.6), 0.3)
# No two walls alike, so that no mistake in their order or in a mirror's signs can hide.
UNEVEN = Room(
    "Uneven", (5.0, 4.0, 2.6), np.linspace(0.05, 0.6, 42).reshape(6, 7)[[3, 0, 5, 1, 4, 2]] ** np.linspace(1, 0.7, 7)
)
FORWARD, BACKWARD = ((1.0, 0.5, 0.2), 0.5), ((-1.0, 0.3, 0.1), 0.25)


def random_patterns(count, order, taps, *, seed):
    return np.random.default_rng(seed).standard_normal((count, (order + 1) ** 2, taps)).astype(np.float32)


# Harmonics


@pytest.mark.parametrize("order", [0, 4, 30])
def test_harmonics_of_the_core_are_those_of_python(order):
    directions = np.random.default_rng(0).standard_normal((20, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    ours = _core.spherical_harmonics(directions, order)
    np.testing.assert_allclose(ours, real_sh(directions, order), atol=1e-12)


def test_departure_signs_are_those_of_a_flipped_and_turned_direction():
    directions = product_quadrature(5).directions
    signs = _core.departure_signs(5)
    for mirror in range(_core.MIRRORS):
        flips = [-1.0 if mirror >> axis & 1 else 1.0 for axis in range(3)]
        np.testing.assert_allclose(real_sh(-directions * flips, 5), signs[mirror] * real_sh(directions, 5), atol=1e-12)


# Against pyroomacoustics

LATE_FRAMES = 40  # half its interpolation kernel


def both(room, *, max_order, source, receiver, length_s=None):
    """Their room, and our response with the same images, by default as long as theirs without its kernel."""
    other = other_room(
        room,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        max_order=max_order,
        sample_rate=48_000,
        source=source,
        receiver=receiver,
    )
    if length_s is None:
        other.compute_rir()
        length_s = (len(other.rir[0][0]) - 2 * LATE_FRAMES) / 48_000
    ours = room_response(
        room,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        source=OMNI if source is None else first_order(*source),
        receiver=OMNI if receiver is None else first_order(*receiver),
        length_s=length_s,
        images=Images(max_order=max_order),
    )[0, 0]
    return other, ours


@pytest.mark.parametrize(("source", "receiver"), [(None, None), (FORWARD, None), (FORWARD, BACKWARD)])
def test_response_is_the_sum_of_the_images_of_pyroomacoustics(source, receiver):
    """-75 dB: the interpolation kernel up to two thirds of Nyquist."""
    other, h = both(BOX, max_order=8, source=source, receiver=receiver, length_s=0.2)
    frequency = np.linspace(50.0, 16_000.0, 400)
    assert error_db(spectrum_at(h, frequency, 48_000), exact_spectrum(other, frequency)) <= -75


@pytest.mark.parametrize(("source", "receiver"), [(None, None), (FORWARD, BACKWARD)])
def test_response_is_that_of_pyroomacoustics_itself(source, receiver):
    """-35 dB: its delays come from a table of 20 phases, under a window that does not move with the fraction."""
    other, h = both(BOX, max_order=20, source=source, receiver=receiver)
    expected = np.asarray(other.rir[0][0])[LATE_FRAMES:-LATE_FRAMES]
    frequency = np.linspace(50.0, 16_000.0, 400)
    assert error_db(spectrum_at(h, frequency, 48_000), spectrum_at(expected, frequency, 48_000)) <= -35


@pytest.mark.parametrize(("source", "receiver"), [(None, None), (FORWARD, BACKWARD)])
def test_walls_absorb_by_octave_as_those_of_pyroomacoustics(source, receiver):
    other, h = both(UNEVEN, max_order=6, source=source, receiver=receiver, length_s=0.25)
    frequency = np.linspace(50.0, 16_000.0, 400)
    expected = exact_spectrum(other, frequency, octave_weights(frequency))
    assert error_db(spectrum_at(h, frequency, 48_000), expected) <= -60  # band filters ring beyond the response


def test_patterns_of_high_orders_are_heard_along_the_images_of_pyroomacoustics():
    """Its directions of departure and of arrival, with patterns that it does not know; -75 dB as above."""
    other = other_room(
        BOX, source_m=SOURCE, receiver_m=RECEIVER, max_order=8, sample_rate=48_000, source=FORWARD, receiver=BACKWARD
    )
    source, receiver = random_patterns(1, 6, 1, seed=6)[..., 0], random_patterns(1, 7, 1, seed=7)[..., 0]
    h = room_response(
        BOX,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        source=source,
        receiver=receiver,
        length_s=0.2,
        images=Images(max_order=8),
    )[0, 0]
    frequency = np.linspace(50.0, 16_000.0, 400)
    images = other.sources[0]
    ways = (images.images - other.mic_array.R).T
    distance = np.linalg.norm(ways, axis=1)
    leaving = images.directions[0].T / np.linalg.norm(images.directions[0], axis=0)[:, None]
    heard = (real_sh(leaving, 6) @ source[0]) * (real_sh(ways / distance[:, None], 7) @ receiver[0])
    expected = (images.damping[0] * heard / distance) @ np.exp(-2j * np.pi * np.outer(distance / other.c, frequency))
    assert error_db(spectrum_at(h, frequency, 48_000), expected) <= -75


@pytest.mark.parametrize(
    "images", [Images(max_order=9), Images(), Images(until_s=0.03, scattering=0.2, jitter_m=0.05, seed=3)]
)
@pytest.mark.parametrize("room", [BOX, UNEVEN])
def test_many_places_without_directivity_are_each_as_with_patterns(room, images):
    """Patterns of the first order that are the same in all directions take the general way; -110 dB is rounding."""
    places = [RECEIVER, (2.0, 3.1, 1.7), (4.6, 0.4, 0.3)]
    where = {"source_m": SOURCE, "length_s": 0.1, "images": images}
    many = room_response(room, receiver_m=places, **where, source=2 * OMNI, receiver=np.vstack([OMNI, -3 * OMNI]))
    assert many.shape == (3, 1, 2, 4800)
    everywhere = np.pad(OMNI, ((0, 0), (0, 3)))
    for place, found in zip(places, many, strict=True):
        directed = room_response(room, receiver_m=place, **where, source=everywhere, receiver=everywhere)
        assert np.max(error_db(found, directed * np.array([[[2.0], [-6.0]]], dtype=np.float32))) <= -110
        np.testing.assert_array_equal(
            found[0, 0], room_response(room, receiver_m=place, **where, source=2 * OMNI)[0, 0]
        )


def test_patterns_around_axes_are_heard_as_those_of_any_shape():
    """Degree by degree they are one function of time; a pattern of any shape beside them takes the general way."""
    random = np.random.default_rng(2)
    axes = random.standard_normal((2, 3))
    functions = np.repeat(random.standard_normal((2, 5, 12)), 2 * np.arange(5) + 1, axis=1)
    around = real_sh(axes / np.linalg.norm(axes, axis=1)[:, None], 4)[..., None] * functions
    other = random_patterns(1, 4, 12, seed=5)
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.06}
    alone = room_response(UNEVEN, **where, source=around, receiver=around[:1])
    beside = room_response(UNEVEN, **where, source=np.concatenate([around, other]), receiver=around[:1])
    assert np.max(error_db(alone, beside[:2])) <= -120


def test_response_is_that_of_deism():
    """-80 dB; tests/golden/make_deism_room.py made the other one. Its walls have impedances, of normal incidence."""
    other = json.loads((GOLDEN / "deism_room.json").read_text())
    impedance = np.array(other["impedance"])
    absorption = 1 - ((impedance - 1) / (impedance + 1)) ** 2
    room = Room("Hard", tuple(other["dimensions_m"]), np.repeat(absorption[:, None], len(OCTAVES_HZ), axis=1))
    h = room_response(
        room,
        source_m=other["source_m"],
        receiver_m=other["receiver_m"],
        length_s=0.25,
        images=Images(max_order=other["max_order"]),
    )[0, 0]
    expected = np.array(other["real"]) + 1j * np.array(other["imag"])
    assert error_db(spectrum_at(h, np.array(other["frequency_hz"]), 48_000), expected) <= -80


# The two forms


@pytest.fixture(scope="module")
def tensor():
    return room_tensor(
        UNEVEN,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        source_order=3,
        receiver_order=4,
        length_s=0.12,
        images=Images(jitter_m=0.05),
        pattern_frames=80,
    )


@pytest.mark.parametrize(("source_taps", "receiver_taps"), [(1, 1), (16, 1), (32, 48)])
def test_tensor_form_equals_direct_form(tensor, source_taps, receiver_taps):
    source = random_patterns(2, 3, source_taps, seed=1)
    receiver = random_patterns(2, 4, receiver_taps, seed=2)
    direct = room_response(
        UNEVEN,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        source=source,
        receiver=receiver,
        length_s=0.12,
        images=Images(jitter_m=0.05),
    )
    assert np.max(error_db(tensor.responses(source, receiver), direct)) <= -120


@pytest.mark.parametrize("scattering", [0.0, 0.2])
def test_tensor_form_equals_direct_form_in_the_tail(scattering):
    images = Images(until_s=0.04, scattering=scattering, seed=3)
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.2, "images": images}
    source, receiver = random_patterns(1, 2, 1, seed=4), random_patterns(1, 3, 1, seed=5)
    tensor = room_tensor(UNEVEN, **where, source_order=2, receiver_order=3)
    direct = room_response(UNEVEN, **where, source=source, receiver=receiver)
    assert np.max(error_db(tensor.responses(source, receiver), direct)) <= -120


def test_tensor_takes_patterns_of_lower_order(tensor):
    low = tensor.responses(OMNI, first_order(*BACKWARD))
    padded = tensor.responses(np.pad(OMNI, ((0, 0), (0, 15))), np.pad(first_order(*BACKWARD), ((0, 0), (0, 21))))
    np.testing.assert_allclose(low, padded, atol=1e-6 * np.max(np.abs(padded)))


def test_threads_do_not_change_a_bit():
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.06}
    np.testing.assert_array_equal(room_response(BOX, **where, threads=1), room_response(BOX, **where, threads=3))
    one, three = (room_tensor(BOX, **where, source_order=1, receiver_order=2, threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.spectrum, three.spectrum)


# Physics


def test_source_and_receiver_can_change_places():
    """Patterns change places too. -110 dB: rounding of directions to single precision."""
    there = room_response(
        UNEVEN,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        source=first_order(*FORWARD),
        receiver=first_order(*BACKWARD),
        length_s=0.15,
    )
    back = room_response(
        UNEVEN,
        source_m=RECEIVER,
        receiver_m=SOURCE,
        source=first_order(*BACKWARD),
        receiver=first_order(*FORWARD),
        length_s=0.15,
    )
    assert error_db(there[0, 0], back[0, 0]) <= -110


@pytest.mark.parametrize("distance_m", [0.2, 1.0, 3.2])
def test_without_reflections_there_is_the_free_field(distance_m):
    open_air = Room("Anechoic", (5.0, 4.0, 2.6), 1.0)
    receiver = (SOURCE[0] + distance_m, *SOURCE[1:])
    h = room_response(open_air, source_m=SOURCE, receiver_m=receiver, length_s=0.02)[0, 0]
    frequency = np.linspace(100.0, 16_000.0, 100)
    expected = np.exp(-2j * np.pi * frequency * distance_m / SPEED_OF_SOUND_M_S) / distance_m
    assert error_db(spectrum_at(h, frequency, 48_000), expected) <= -75


def test_nearby_only_the_direct_sound_counts():
    near = room_response(BOX, source_m=SOURCE, receiver_m=(SOURCE[0] + 0.2, *SOURCE[1:]), length_s=0.25)
    assert drr_db(near, sample_rate=48_000, band_hz=(500.0, 8000.0)) >= 10


def test_direct_to_reverberant_ratio_follows_the_critical_distance():
    """Statistical theory: 20 log10(Dc / r) with the energy in the room of Eyring's decay; the mean of 12 places."""
    critical_m = 0.057 * math.sqrt(BOX.volume_m3 / float(BOX.eyring_s()[0]))
    random = np.random.default_rng(0)
    ratios = []
    for _ in range(12):
        source = random.uniform([1.5, 1.5, 1.0], [3.5, 2.5, 1.6])
        way = random.standard_normal(3)
        receiver = source + 0.9 * way / np.linalg.norm(way)
        h = room_response(BOX, source_m=source, receiver_m=receiver, length_s=0.3)
        ratios.append(float(drr_db(h, sample_rate=48_000, band_hz=(1000.0, 8000.0))[0, 0]))
    assert np.mean(ratios) == pytest.approx(20 * math.log10(critical_m / 0.9), abs=1.5)


# Bad input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source_m": (5.5, 1.0, 1.0)}, "source_m = .*outside the room.*5.0, 4.0, 2.6"),
        ({"receiver_m": (1.0, 4.0, 1.0)}, "receiver_m = .*in a wall"),
        ({"receiver_m": (1.0, float("nan"), 1.0)}, "receiver_m = .*finite"),
        ({"receiver_m": SOURCE}, "the source stands there"),
        ({"receiver_m": [RECEIVER, SOURCE]}, "receiver_m = .*the source stands there"),
        ({"receiver_m": [RECEIVER, (1.0, 4.0, 1.0)]}, "receiver_m = .*in a wall"),
        ({"receiver_m": np.ones((2, 2))}, r"receiver_m: shape \(2, 2\); must be"),
        ({"length_s": 0.0}, "length_s = 0.0: must be above 0"),
        ({"sample_rate": 0}, "sample_rate = 0"),
        ({"threads": 0}, "threads = 0"),
        ({"source": np.ones((1, 5))}, r"source: shape \(1, 5\); must be"),
        ({"receiver": np.ones(4)}, r"receiver: shape \(4,\); must be"),
        ({"receiver": [[1.0, 0.0, np.nan, 0.0]]}, "receiver: holds values that are not finite"),
        ({"source": np.ones((1, 102**2))}, "source: order 101; must be 100 at most"),
    ],
)
def test_mistakes_are_named(change, words):
    arguments = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.05} | change
    with pytest.raises(ValueError, match=words):
        room_response(BOX, **arguments)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Room("r", (5.0, 4.0, 0.0), 0.1), "dimensions_m"),
        (lambda: Room("r", (5.0, 4.0), 0.1), "dimensions_m = .*: must be three"),
        (lambda: Room("r", (5.0, 4.0, 3.0), 1.2), "absorption, west, 125 Hz = 1.2: must be within 0..1"),
        (lambda: Room("r", (5.0, 4.0, 3.0), np.full(5, 0.1)), r"absorption: shape \(5,\)"),
        (
            lambda: cover(**{w: {"tiles": 0.5} for w in ("west", "east", "south", "north", "floor", "ceiling")}),
            "add up",
        ),
        (lambda: Images(until_s=-1.0), "until_s = -1.0"),
        (lambda: Images(max_order=3, until_s=0.1), "until_s = 0.1: a tail"),
        (lambda: Images(max_order=-1), "max_order = -1"),
        (lambda: Images(max_order=2.5), "max_order = 2.5: must be a whole number"),
        (lambda: Images(jitter_m=-0.1), "jitter_m = -0.1"),
        (lambda: Images(jitter_m=20.0), "jitter_m = 20.0: must be within 0..1"),
        (lambda: Images(scattering=1.5), "scattering = 1.5: must be within 0..1"),
        (lambda: Images(scattering=(0.1, 0.2)), "scattering = .*one share or 7 per octave"),
        (lambda: Images(scattering=0.2, max_order=3), "scattering = 0.2: takes all images"),
        (lambda: Images(seed=-1), "seed = -1"),
    ],
)
def test_impossible_rooms_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_tensor_that_does_not_fit_says_how_much_it_needs():
    with pytest.raises(MemoryError, match=r"source_order = 60, receiver_order = 60.*needs \d+\.\d GB"):
        room_tensor(BOX, source_m=SOURCE, receiver_m=RECEIVER, source_order=60, receiver_order=60, length_s=2.0)


def test_tensor_names_orders_that_harmonics_do_not_reach():
    """It used to wait forever for the buffers of the threads that had failed."""
    with pytest.raises(ValueError, match="source_order, receiver_order = 101, 0: must add up to 100 at most"):
        room_tensor(BOX, source_m=SOURCE, receiver_m=RECEIVER, source_order=101, receiver_order=0, length_s=0.01)


def test_response_that_does_not_fit_says_how_much_it_needs():
    """A few images, but a response of a day; and nothing of its length is made before it is refused."""
    few = Images(max_order=2)
    with pytest.raises(MemoryError, match=r"length_s = 86400.*needs \d+\.\d GB"):
        room_response(UNEVEN, source_m=SOURCE, receiver_m=RECEIVER, length_s=86_400.0, images=few)


def test_images_that_do_not_fit_say_how_much_they_need():
    with pytest.raises(MemoryError, match=r"length_s = 30.*needs \d+\.\d GB"):
        room_response(BOX, source_m=SOURCE, receiver_m=RECEIVER, length_s=30.0)


def test_tensor_refuses_patterns_that_it_cannot_hold(tensor):
    with pytest.raises(ValueError, match="source: 25 harmonics; the tensor has 16"):
        tensor.responses(np.ones((1, 25)), OMNI)
    with pytest.raises(ValueError, match="100 taps together; the tensor has room for 80"):
        tensor.responses(np.ones((1, 1, 60)), np.ones((1, 1, 40)))


# Long computations


def test_progress_rises_to_one():
    seen = []
    room_response(BOX, source_m=SOURCE, receiver_m=RECEIVER, length_s=0.05, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_ctrl_c_stops_a_long_computation_at_once(request):
    # Where the tests run in the background, a shell may have told them to ignore it.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, handler))
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    started = time.perf_counter()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        room_tensor(BOX, source_m=SOURCE, receiver_m=RECEIVER, source_order=2, receiver_order=2, length_s=3.0)
    assert time.perf_counter() - started < 2.0  # without it, minutes


def test_finding_millions_of_images_is_stopped_at_once():
    cancel = _core.CancelFlag()
    seconds = 3.0
    model = ImageRun.of(BOX, SOURCE, RECEIVER, seconds, 48_000, Images(), 2).model
    buffer = np.empty((1, 1, int(48_000 * seconds) + 1000), dtype=np.float32)
    timer = threading.Timer(1.2, cancel.set)  # all are found and are being sorted
    started = time.perf_counter()
    timer.start()
    with pytest.raises(_core.Cancelled):
        model.moments(0, order=0, out=buffer, cancel=cancel)
    assert time.perf_counter() - started < 3.0


def test_octave_weights_add_up_to_one_and_pick_the_octave():
    frequency = np.geomspace(20.0, 20_000.0, 200)
    np.testing.assert_allclose(octave_weights(frequency).sum(axis=0), 1.0, atol=1e-12)
    np.testing.assert_allclose(octave_weights(OCTAVES_HZ), np.eye(7), atol=1e-12)
