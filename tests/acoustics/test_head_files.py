"""Are the ears of a head found whatever its file says, the right distance taken, and large files read cheaply?"""

import subprocess
import sys
import warnings
from pathlib import Path

import click
import numpy as np
import pytest

from forestage.acoustics.device_file import parse_device
from forestage.acoustics.head import Head
from forestage.acoustics.measured_head import load_head
from forestage.acoustics.sofa import MeasurementWarning
from kinds import first_fast
from measurements import copy_sofa, ring_directions, sphere_head, write_sofa

RING = ring_directions(7.5)
FREQUENCY_HZ = np.array([300.0, 600.0, 1200.0, 2400.0])
AZIMUTH_DEG = np.array([-100.0, -40.0, 0.0, 25.0, 75.0])


def sources(azimuth_deg=AZIMUTH_DEG, distance_m: float = 1.4) -> np.ndarray:
    azimuth = np.deg2rad(azimuth_deg)
    return distance_m * np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros_like(azimuth)], axis=-1)


def assert_is_the_sphere(head) -> None:
    """Both ears, in level and in phase against each other."""
    ours = head.ears(FREQUENCY_HZ, sources())
    expected = Head().ears(FREQUENCY_HZ, sources())
    np.testing.assert_allclose(np.abs(ours), np.abs(expected), rtol=0.02)
    between = np.angle(ours[0] / ours[1] * np.conj(expected[0] / expected[1]))
    np.testing.assert_allclose(between, 0.0, atol=0.03)


def file_with(path: Path, receivers, *, kind="cartesian", units="metre", data_swapped=False, yaw_deg=0.0) -> Path:
    sofa = sphere_head(RING)
    if data_swapped:
        sofa.Data_IR = sofa.Data_IR[:, ::-1]
    sofa.SourcePosition[:, 0] = (sofa.SourcePosition[:, 0] + yaw_deg) % 360.0
    sofa.ReceiverPosition, sofa.ReceiverPosition_Type, sofa.ReceiverPosition_Units = receivers, kind, units
    return write_sofa(path, sofa)


LEFT, RIGHT = [0.0, 0.09, 0.0], [0.0, -0.09, 0.0]
DEGREES = {"kind": "spherical", "units": "degree, degree, metre"}


@pytest.mark.parametrize(
    ("receivers", "how"),
    first_fast(
        [
            ([LEFT, RIGHT], {}),
            ([RIGHT, LEFT], {"data_swapped": True}),
            ([[0.0, 9.0, 0.0], [0.0, -9.0, 0.0]], {}),  # centimetres that say metres
            ([[90.0, 0.0, 0.09], [270.0, 0.0, 0.09]], DEGREES),
            ([[-90.0, 0.0, 0.09], [90.0, 0.0, 0.09]], DEGREES | {"data_swapped": True}),
        ],
        2,
    ),
)
def test_ears_that_are_labelled_rightly_are_taken_without_a_word(receivers, how, tmp_path):
    assert_is_the_sphere(load_head(file_with(tmp_path / "head.sofa", receivers, **how)))


@pytest.mark.parametrize(
    ("receivers", "how", "fault"),
    first_fast(
        [
            ([RIGHT, LEFT], {}, "is the wrong way round"),
            ([LEFT, RIGHT], {"data_swapped": True}, "is the wrong way round"),
            ([[0.0] * 3] * 2, {}, "does not tell left from right"),
            ([[0.0] * 3] * 2, {"data_swapped": True}, "does not tell left from right"),
            ([[0.09, 0.0, 0.0], [-0.09, 0.0, 0.0]], {}, "does not tell left from right"),
            ([[-0.09, 0.0, 0.0], [0.09, 0.0, 0.0]], {"data_swapped": True}, "does not tell left from right"),
            ([[90.0, 0.0, 0.09], [90.0, 0.0, 0.09]], DEGREES, "does not tell left from right"),  # a sign got lost
        ],
        3,
    ),
)
def test_ears_are_taken_as_they_fit_a_head(receivers, how, fault, tmp_path):
    path = file_with(tmp_path / "head.sofa", receivers, **how)
    order = "second" if how.get("data_swapped") else "first"
    message = f"^{path}: ReceiverPosition = .*{fault}.*: the {order} receiver is taken for the left ear, as"
    with pytest.warns(MeasurementWarning, match=message):
        assert_is_the_sphere(load_head(path))


@pytest.mark.parametrize("receivers", [[[0.0] * 3], [[0.09, 0.0, 0.0]]])
def test_one_position_for_both_ears_is_none(receivers, tmp_path):
    good = write_sofa(tmp_path / "good.sofa", sphere_head(RING))
    path = copy_sofa(tmp_path / "head.sofa", good, ReceiverPosition=(("I", "C"), receivers))
    with pytest.warns(MeasurementWarning, match="does not tell left from right: the first receiver is taken for the l"):
        assert_is_the_sphere(load_head(path))


@pytest.mark.parametrize("yaw_deg", first_fast([90.0, -90.0]))
def test_head_whose_ears_are_on_the_x_axis_looks_along_y(yaw_deg, tmp_path):
    path = file_with(tmp_path / "head.sofa", [[0.0] * 3] * 2, yaw_deg=yaw_deg)
    with pytest.warns(MeasurementWarning, match=f"of a head that looks along {'' if yaw_deg > 0 else '-'}y, as"):
        assert_is_the_sphere(load_head(path))


def test_delays_that_fit_no_ears_name_the_receivers(tmp_path):
    sofa = sphere_head(RING)
    sofa.Data_IR = np.random.default_rng(0).permutation(sofa.Data_IR)
    path = write_sofa(tmp_path / "head.sofa", sofa)
    with pytest.raises(ValueError, match="delays between the ears that are not a head's.*ReceiverPosition"):
        load_head(path)


def at_distances(path: Path, *distances_m: float) -> Path:
    """A sphere at several distances, those in one file as a laboratory has them."""
    shells = [sphere_head(RING, distance_m=distance_m) for distance_m in distances_m]
    sofa = shells[0]
    impulses = np.concatenate([shell.Data_IR for shell in shells])
    positions = np.concatenate([shell.SourcePosition for shell in shells])
    mixed = np.random.default_rng(1).permutation(len(positions))
    sofa.Data_IR, sofa.SourcePosition = impulses[mixed], positions[mixed]
    return write_sofa(path, sofa)


@pytest.mark.parametrize(("wanted_m", "taken_m"), first_fast([(2.0, 1.5), (0.3, 0.5), (0.9, 1.0)]))
def test_of_several_distances_the_nearest_to_the_sources_is_taken(wanted_m, taken_m, tmp_path):
    path = at_distances(tmp_path / "head.sofa", 0.5, 1.0, 1.5)
    message = rf"heads at 0\.50, 1\.00, 1\.50 m: that at {taken_m:.2f} m is taken, the nearest to {wanted_m:.2f} m"
    with pytest.warns(MeasurementWarning, match=message):
        head = load_head(path, distance_m=wanted_m)
    assert head.distance_m == pytest.approx(taken_m)
    ours, expected = (one.ears(FREQUENCY_HZ, sources(distance_m=taken_m)) for one in (head, Head()))
    np.testing.assert_allclose(np.abs(ours), np.abs(expected), rtol=0.02)


def test_device_takes_the_distance_of_its_listener(tmp_path):
    at_distances(tmp_path / "head.sofa", 0.5, 1.5)
    table = {
        "name": "Laptop",
        "listener": {"distance_m": 0.6, "head_sofa": "head.sofa"},
        "driver": [
            {"name": side, "channel": side, "position_m": [0.0, y, 0.0]} for side, y in (("left", 0.1), ("right", -0.1))
        ],
    }
    with pytest.warns(MeasurementWarning, match=r"that at 0\.50 m is taken, the nearest to 0\.60 m"):
        assert parse_device(table, tmp_path).listener.head.distance_m == pytest.approx(0.5)


def test_command_line_says_what_was_made_of_a_measurement_in_one_line(capsys):
    from forestage.command import run_command

    def reading() -> None:
        warnings.simplefilter("always")
        warnings.warn("head.sofa: ReceiverPosition is so", MeasurementWarning, stacklevel=1)

    run_command(click.Command("reading", callback=reading), name="forestage", arguments=[])
    assert capsys.readouterr().err == "forestage: head.sofa: ReceiverPosition is so\n"


DENSE = """
import re, sys, time
from pathlib import Path
from forestage.acoustics.measured_head import load_head
shares = []
start = time.process_time()
head = load_head(sys.argv[1], progress=shares.append)
peak_kib = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(peak_kib // 1024, time.process_time() - start, head.radius_m)
assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 20, shares
"""


@pytest.mark.slow
def test_twelve_thousand_directions_take_little_memory_and_time(tmp_path):
    """2.8 GB and two minutes would be what their number asks for when all are held at once."""
    count = 12_000
    z = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    azimuth = np.pi * (1.0 + np.sqrt(5.0)) * np.arange(count)
    level = np.sqrt(1.0 - z**2)
    directions = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), z], axis=-1)
    sofa = sphere_head(directions[:1])
    rng = np.random.default_rng(2)
    # A sphere's delays and levels, near enough: what it costs does not depend on what it is
    onset = 48 + np.rint(48_000 / 343 * 0.0875 * 1.4 * np.stack([-directions[:, 1], directions[:, 1]], 1)).astype(int)
    sofa.Data_IR = np.zeros((count, 2, 1024))
    np.put_along_axis(sofa.Data_IR, onset[..., None], 1.0, axis=-1)
    sofa.Data_IR[:, :, :256] += 1e-4 * rng.standard_normal((count, 2, 256))
    azimuth_deg = np.rad2deg(np.arctan2(directions[:, 1], directions[:, 0]))
    sofa.SourcePosition = np.stack([azimuth_deg, np.rad2deg(np.arcsin(z)), np.full(count, 1.4)], axis=-1)
    path = write_sofa(tmp_path / "dense.sofa", sofa)
    run = subprocess.run([sys.executable, "-c", DENSE, str(path)], capture_output=True, text=True, check=True)
    peak_mb, cpu_s, radius_m = map(float, run.stdout.split())
    assert peak_mb < 600
    assert cpu_s < 40
    assert 0.07 < radius_m < 0.11
