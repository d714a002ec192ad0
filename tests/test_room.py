"""Is the room right? Against pyroomacoustics, closed forms and reciprocity; and one form against the other."""

import json
import math
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from forestage import _core
from forestage.acoustics.head import SPEED_OF_SOUND_M_S
from forestage.acoustics.image_sources import Images, Kernel, octave_weights
from forestage.acoustics.room import OMNI, room_response, room_tensor
from forestage.acoustics.shoebox import OCTAVES_HZ, ROOMS, Room, cover
from forestage.acoustics.spherical_harmonics import product_quadrature, real_sh
from forestage.metrics.room import drr_db, rt60_s
from room_oracles import exact_spectrum, first_order, other_room

SOURCE = (1.1, 1.9, 1.2)
RECEIVER = (3.4, 2.3, 1.1)
BOX = Room("Box", (5.0, 4.0, 2.6), 0.3)
# No two walls alike, so that no mistake in their order or in a mirror's signs can hide.
UNEVEN = Room(
    "Uneven", (5.0, 4.0, 2.6), np.linspace(0.05, 0.6, 42).reshape(6, 7)[[3, 0, 5, 1, 4, 2]] ** np.linspace(1, 0.7, 7)
)
FORWARD, BACKWARD = ((1.0, 0.5, 0.2), 0.5), ((-1.0, 0.3, 0.1), 0.25)


def error_db(ours, truth):
    """Energy of the difference over that of the truth."""
    return 10 * np.log10(np.sum(np.abs(ours - truth) ** 2, axis=-1) / np.sum(np.abs(truth) ** 2, axis=-1))


def random_patterns(count, order, taps, *, seed):
    return np.random.default_rng(seed).standard_normal((count, (order + 1) ** 2, taps)).astype(np.float32)


def spectrum_at(response, frequency_hz, sample_rate):
    return response @ np.exp(-2j * np.pi * np.outer(np.arange(len(response)) / sample_rate, frequency_hz))


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


@pytest.mark.parametrize(("source", "receiver"), [(None, None), (FORWARD, None), (FORWARD, BACKWARD)])
def test_response_is_the_sum_of_the_images_of_pyroomacoustics(source, receiver):
    """-75 dB: the interpolation kernel up to two thirds of Nyquist."""
    other = other_room(
        BOX, source_m=SOURCE, receiver_m=RECEIVER, max_order=8, sample_rate=48_000, source=source, receiver=receiver
    )
    h = room_response(
        BOX,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        source=OMNI if source is None else first_order(*source),
        receiver=OMNI if receiver is None else first_order(*receiver),
        length_s=0.2,
        images=Images(max_order=8),
    )[0, 0]
    frequency = np.linspace(50.0, 16_000.0, 400)
    assert error_db(spectrum_at(h, frequency, 48_000), exact_spectrum(other, frequency)) <= -75


@pytest.mark.parametrize(("source", "receiver"), [(None, None), (FORWARD, BACKWARD)])
def test_response_is_that_of_pyroomacoustics_itself(source, receiver):
    """-35 dB: its delays come from a table of 20 phases, under a window that does not move with the fraction."""
    other = other_room(
        BOX, source_m=SOURCE, receiver_m=RECEIVER, max_order=20, sample_rate=48_000, source=source, receiver=receiver
    )
    other.compute_rir()
    late = 40  # half its interpolation kernel
    expected = np.asarray(other.rir[0][0])[late:-late]
    h = room_response(
        BOX,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        source=OMNI if source is None else first_order(*source),
        receiver=OMNI if receiver is None else first_order(*receiver),
        length_s=len(expected) / 48_000,
        images=Images(max_order=20),
    )[0, 0]
    frequency = np.linspace(50.0, 16_000.0, 400)
    assert error_db(spectrum_at(h, frequency, 48_000), spectrum_at(expected, frequency, 48_000)) <= -35


def test_walls_absorb_by_octave_as_those_of_pyroomacoustics():
    other = other_room(UNEVEN, source_m=SOURCE, receiver_m=RECEIVER, max_order=6, sample_rate=48_000)
    h = room_response(UNEVEN, source_m=SOURCE, receiver_m=RECEIVER, length_s=0.25, images=Images(max_order=6))[0, 0]
    frequency = np.linspace(50.0, 16_000.0, 400)
    expected = exact_spectrum(other, frequency, octave_weights(frequency))
    assert error_db(spectrum_at(h, frequency, 48_000), expected) <= -60  # band filters ring beyond the response


def test_response_is_that_of_deism():
    """-80 dB; tests/golden/make_deism_room.py made the other one. Its walls have impedances, of normal incidence."""
    other = json.loads((Path(__file__).parent / "golden" / "deism_room.json").read_text())
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


def test_tensor_form_equals_direct_form_in_the_tail():
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.2, "images": Images(until_s=0.04, seed=3)}
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


def decay_times(room, *, count=3, images=None):
    """T20 of 500 to 4000 Hz at several places, over Eyring's time."""
    eyring = float(room.eyring_s()[0])
    random = np.random.default_rng(1)
    low, high = np.full(3, 0.7), np.array(room.dimensions_m) - 0.7
    times = []
    for _ in range(count):
        h = room_response(
            room,
            source_m=random.uniform(low, high),
            receiver_m=random.uniform(low, high),
            length_s=1.1 * eyring,
            sample_rate=16_000,
            images=images or Images(),
        )
        times.append(float(rt60_s(h, sample_rate=16_000, band_hz=(500.0, 4000.0))[0, 0]))
    return np.mean(times) / eyring


@pytest.mark.parametrize("absorption", [0.1, 0.2, 0.3, 0.5])
def test_uniform_room_decays_as_eyring_says(absorption):
    """Within 10 % where directions do not differ much in how often they meet walls; see the next test for others."""
    assert decay_times(Room("Cube", (4.0, 4.0, 4.0), absorption)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("dimensions_m", [(5.0, 4.0, 2.6), (6.0, 5.0, 3.0)])
def test_flat_room_decays_as_mirror_walls_make_it(dimensions_m):
    """Energy along direction u dies as exp(-c t sum_n a |u_n| / l_n): slower than Eyring's mean in flat rooms."""
    room = Room("Flat", dimensions_m, 0.15)
    exponent = -math.log(1 - 0.15)
    around = product_quadrature(40)
    rates = SPEED_OF_SOUND_M_S * exponent * np.abs(around.directions) @ (1 / np.array(dimensions_m))
    times = np.arange(0.0, 2 * float(room.eyring_s()[0]), 1 / 4000)
    envelope = np.sqrt(np.exp(-np.outer(times, rates)) @ around.weights)
    expected = float(rt60_s(envelope, sample_rate=4000)) / float(room.eyring_s()[0])
    assert expected > 1.12
    assert decay_times(room) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("name", ROOMS)
def test_named_rooms_reverberate_like_homes(name):
    middle = ROOMS[name].eyring_s()[2:5]
    assert 0.3 <= middle.min() <= middle.max() <= 0.8


# Tail and jitter


@pytest.mark.parametrize("name", ["living-room", "kitchen"])
def test_statistical_tail_carries_on_where_the_images_stop(name):
    """Energy of 500 to 4000 Hz in windows of 25 ms, over 36 harmonics; the images themselves scatter by 1 dB there."""
    where = {"source_m": SOURCE, "receiver_m": (3.4, 2.3, 1.1), "length_s": 0.25, "sample_rate": 16_000}
    band = butter(4, (500, 4000), "bandpass", fs=16_000, output="sos")
    energy = []
    for images in (Images(), Images(until_s=0.08)):
        tensor = room_tensor(ROOMS[name], **where, source_order=0, receiver_order=5, images=images)
        heard = sosfiltfilt(band, tensor.responses(OMNI, np.eye(36))[0])
        energy.append(np.sum(heard.reshape(36, 10, 400) ** 2, axis=(0, 2)))
    level = 10 * np.log10(energy[1] / energy[0])
    np.testing.assert_allclose(level[:3], 0.0, atol=0.1)
    np.testing.assert_allclose(level[3:], 0.0, atol=1.5)


def test_tail_depends_on_its_seed_only():
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.1}
    a, b, c = (room_response(BOX, **where, images=Images(until_s=0.03, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert error_db(a, c) > -10


def test_jitter_moves_reflections_and_not_the_source():
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.1}
    still = room_response(BOX, **where)[0, 0]
    moved = room_response(BOX, **where, images=Images(jitter_m=0.1))[0, 0]
    # Direct sound after 327 frames, the floor's reflection after 458; kernels reach 16 frames to both sides.
    before = slice(0, 420)
    np.testing.assert_allclose(moved[before], still[before], atol=1e-6)
    assert error_db(moved, still) > -10


@pytest.mark.parametrize("sample_rate", [8000, 96_000])
def test_moved_images_fit_into_the_response(sample_rate):
    """They may arrive after it has ended; 0.123 s leaves the transform no frame to spare."""
    h = room_response(
        BOX,
        source_m=SOURCE,
        receiver_m=RECEIVER,
        length_s=0.123,
        sample_rate=sample_rate,
        images=Images(jitter_m=1.0),
    )
    assert np.isfinite(h).all()


def test_room_that_absorbs_nothing_never_dies_away():
    assert np.all(np.isposinf(Room("Hard", (5.0, 4.0, 3.0), 0.0).eyring_s()))


# Bad input


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source_m": (5.5, 1.0, 1.0)}, "source_m = .*outside the room.*5.0, 4.0, 2.6"),
        ({"receiver_m": (1.0, 4.0, 1.0)}, "receiver_m = .*in a wall"),
        ({"receiver_m": (1.0, float("nan"), 1.0)}, "receiver_m = .*finite"),
        ({"receiver_m": SOURCE}, "the source stands there"),
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
    model = Kernel.of(BOX, SOURCE, RECEIVER, seconds, 48_000, Images(), 2).model
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
