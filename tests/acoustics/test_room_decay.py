"""How a room dies away: against Eyring and the integral over directions, what walls scatter, the tail, moved images."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from forestage.acoustics.image_sources import Images
from forestage.acoustics.room import OMNI, room_response, room_tensor
from forestage.acoustics.scattering import STEP_S, diffuse_energy
from forestage.acoustics.shoebox import ROOMS, Room
from forestage.acoustics.spherical_harmonics import product_quadrature
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.metrics.room import rt60_s
from kinds import first_fast
from room_oracles import error_db, spectrum_at

SOURCE = (1.1, 1.9, 1.2)
RECEIVER = (3.4, 2.3, 1.1)
BOX = Room("Box", (5.0, 4.0, 2.6), 0.3)


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


@pytest.mark.slow
@pytest.mark.parametrize("absorption", [0.1, 0.2, 0.3, 0.5])
def test_uniform_room_decays_as_eyring_says(absorption):
    """Within 10 % where directions do not differ much in how often they meet walls; see the next test for others."""
    assert decay_times(Room("Cube", (4.0, 4.0, 4.0), absorption)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("dimensions_m", [(5.2, 4.1, 2.5), (6.0, 5.0, 3.0), (4.0, 4.0, 4.0)])
@pytest.mark.parametrize("absorption", [0.2, 0.35])
@pytest.mark.parametrize("until_s", [None, 0.05])
def test_room_whose_walls_scatter_decays_as_eyring_says(dimensions_m, absorption, until_s):
    """Within 10 %, flat or not, as images or as tail."""
    images = Images(scattering=0.2, until_s=until_s)
    assert decay_times(Room("Furnished", dimensions_m, absorption), images=images) == pytest.approx(1.0, abs=0.1)


def test_no_energy_is_lost_between_images_and_diffuse_field():
    """Where nothing is absorbed, what images lose along their directions is what the diffuse field has."""
    dimensions_m, share = (6.0, 5.0, 2.4), 0.2
    around = product_quadrature(30)
    hits = SPEED_OF_SOUND_M_S * np.abs(around.directions) @ (1 / np.array(dimensions_m))
    diffuse = diffuse_energy(dimensions_m, np.zeros((6, 1)), [share], 0.3)[0]
    times = STEP_S * np.arange(len(diffuse))
    images = np.exp(np.outer(times, np.log(1 - share) * hits)) @ around.weights / around.weights.sum()
    np.testing.assert_allclose(images + diffuse, 1.0, atol=2e-3)


def test_walls_that_absorb_all_scatter_nothing():
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.1}
    open_air = Room("Anechoic", (5.0, 4.0, 2.6), 1.0)
    scattering = room_response(open_air, **where, images=Images(scattering=0.5))
    np.testing.assert_array_equal(scattering, room_response(open_air, **where))


def test_octaves_scatter_each_by_their_share():
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.15}
    mirrors = room_response(BOX, **where)[0, 0]
    above = room_response(BOX, **where, images=Images(scattering=(0.0, 0.0, 0.0, 0.0, 0.3, 0.3, 0.3)))[0, 0]
    low, high = np.linspace(80.0, 900.0, 100), np.linspace(2000.0, 6000.0, 100)
    assert error_db(spectrum_at(above, low, 48_000), spectrum_at(mirrors, low, 48_000)) <= -50
    assert error_db(spectrum_at(above, high, 48_000), spectrum_at(mirrors, high, 48_000)) > -10


def test_room_that_absorbs_nothing_never_dies_away():
    assert np.all(np.isposinf(Room("Hard", (5.0, 4.0, 3.0), 0.0).eyring_s()))


@pytest.mark.parametrize("name", ROOMS)
def test_named_rooms_reverberate_like_homes(name):
    middle = ROOMS[name].eyring_s()[2:5]
    assert 0.3 <= middle.min() <= middle.max() <= 0.8


# Tail and jitter


@pytest.mark.parametrize("name", first_fast(["living-room", "kitchen"]))
@pytest.mark.parametrize(("scattering", "step_db"), [(0.0, 1.5), (0.2, 1.0)])
def test_statistical_tail_carries_on_where_the_images_stop(name, scattering, step_db):
    """Energy of 500 to 4000 Hz in windows of 25 ms, over 36 harmonics; the images themselves scatter by 1 dB there."""
    where = {"source_m": SOURCE, "receiver_m": (3.4, 2.3, 1.1), "length_s": 0.25, "sample_rate": 16_000}
    band = butter(4, (500, 4000), "bandpass", fs=16_000, output="sos")
    energy = []
    for until_s in (None, 0.08):
        images = Images(until_s=until_s, scattering=scattering)
        tensor = room_tensor(ROOMS[name], **where, source_order=0, receiver_order=5, images=images)
        heard = sosfiltfilt(band, tensor.responses(OMNI, np.eye(36))[0])
        energy.append(np.sum(heard.reshape(36, 10, 400) ** 2, axis=(0, 2)))
    level = 10 * np.log10(energy[1] / energy[0])
    np.testing.assert_allclose(level[:3], 0.0, atol=0.1)
    np.testing.assert_allclose(level[3:], 0.0, atol=step_db)


def test_tail_depends_on_its_seed_only():
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.1}
    a, b, c = (room_response(BOX, **where, images=Images(until_s=0.03, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert error_db(a, c) > -10


@pytest.mark.parametrize("images", [Images(jitter_m=0.1), Images(scattering=0.3)])
def test_jitter_and_scattering_change_reflections_and_not_the_source(images):
    where = {"source_m": SOURCE, "receiver_m": RECEIVER, "length_s": 0.1}
    still = room_response(BOX, **where)[0, 0]
    moved = room_response(BOX, **where, images=images)[0, 0]
    # Direct sound after 327 frames, the floor's reflection after 458; kernels reach 16 frames to both sides.
    before = slice(0, 420)
    np.testing.assert_allclose(moved[before], still[before], atol=1e-6)
    assert error_db(moved[420:], still[420:]) > -10


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


@pytest.mark.parametrize(
    "images", [Images(until_s=0.03), Images(until_s=0.03, scattering=1.0), Images(scattering=1.0)], ids=str
)
@pytest.mark.parametrize("moved", first_fast(["source_m", "receiver_m"]))
def test_statistical_sound_is_as_alike_in_two_places_as_in_a_diffuse_field(images, moved):
    """Correlation of the same sound from, or at, places d apart: sin(kd)/(kd), after Cook et al., JASA 27 (1955)."""
    room, distance_m, rate = Room("Cube", (4.0, 4.0, 4.0), 0.2), 0.2, 16_000
    places = {"source_m": np.array([1.1, 1.9, 1.2]), "receiver_m": np.array([2.9, 2.3, 2.1])}
    frequency = np.fft.rfftfreq(8192, 1 / rate)
    bands = [(low, low + 200.0) for low in np.arange(200.0, 3000.0, 200.0)]
    powers = np.zeros((3, len(bands)))
    for seed in range(6):
        late = []
        for step in (0.0, distance_m):
            at = places | {moved: places[moved] + [0.0, step, 0.0]}
            options = {"length_s": 0.4, "sample_rate": rate, "images": replace(images, seed=seed)}
            late.append(np.fft.rfft(room_response(room, **at, **options)[0, 0, 800:], 8192))
        for index, (low, high) in enumerate(bands):
            a, b = (spectrum[(frequency >= low) & (frequency < high)] for spectrum in late)
            powers[:, index] += [np.sum((a * b.conj()).real), np.sum(np.abs(a) ** 2), np.sum(np.abs(b) ** 2)]
    found = powers[0] / np.sqrt(powers[1] * powers[2])
    expected = np.sinc(2 * np.mean(bands, axis=1) * distance_m / SPEED_OF_SOUND_M_S)
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.15  # of as few seconds; the same sound in both would be 1
