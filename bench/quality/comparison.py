"""Designs to be compared, and the heads they are scored on: what several tables share.

Every method ends as 256-tap filters at 48 kHz, made the way presets are. Heads, places and driver errors of the scores
are none of those that a design has seen (`forestage.design.zone.Zone`).
"""

from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from forestage import factory_presets, load_device
from forestage.acoustics.measured_head import load_head
from forestage.acoustics.pair import own_ears, pair_ears
from forestage.acoustics.plant import plant
from forestage.constants import SAMPLE_RATE
from forestage.design.cancel import CAPPED, CancelTarget, cancel_problem, solve, zone_plants
from forestage.design.cancel.firs import SOLVE_HZ, Solution, cancel_firs, guarded
from forestage.design.filters import delay_for, sample_firs
from forestage.design.preset_device import preset_device
from forestage.firs import response_of
from forestage.metrics.bands import log_grid
from forestage.metrics.colour import ripple_db
from forestage.presets import preset_form

DEVICES = Path(__file__).resolve().parents[2] / "presets" / "devices"
FREQUENCY_HZ = log_grid(80.0, 12_800.0, per_octave=24)
STEP_HZ = 100.0

# As they are called in the tables; what keeps to the drive cap is guarded against what a filter rounds off
METHODS = {
    "plain stereo": None,
    "exact inverse": "exact",
    "Kirkeby, one beta": "kirkeby",
    "Choueiri": "choueiri",
    "RACE": "race",
    "RACE as in CamillaDSP": "camilladsp",
    "EasyEffects": "easyeffects",
    "closed form": "closed-form",
    "least squares": "least-squares",
    "Rayleigh quotient, no cap": "rayleigh",
    "null steering": "null-steering",
    "minimax": "minimax",
}


def kemar():
    """KEMAR as measured at the MIT, which Debian's libmysofa1 brings (``./run quality`` installs it)."""
    return load_head("/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa")


def with_head(device, head):
    """The device with another listener."""
    return replace(device, listener=replace(device.listener, head=head))


def loudspeakers():
    """The factory presets but the headphones', each with its device."""
    devices = {name: preset_device(preset_form(path)) for name, path in factory_presets().items()}
    return {name: device for name, device in devices.items() if not device.is_headphones}


def device_of(name):
    return load_device(DEVICES / f"{name}.toml")


def two_drivers(device, pair=None):
    """The device with nothing but a left and a right driver, the reference pair unless said otherwise."""
    left, right = pair or device.references
    drivers = [replace(device.drivers[left], channel="left"), replace(device.drivers[right], channel="right")]
    return replace(device, drivers=tuple(drivers))


def designed(device, method, *, target=None, seat=None, zone=None):
    """Responses of the exported filters of a method, shape (drivers, 2, n) on `FREQUENCY_HZ`."""
    if method is None:
        return np.repeat(device.plain_gains[:, :, None].astype(complex), len(FREQUENCY_HZ), axis=-1)
    # Methods are compared where all of them are at home: only two of them know rooms
    target = target or CancelTarget().in_free_field()
    seat = plant(device, step_hz=STEP_HZ) if seat is None else seat
    problem = cancel_problem(
        device, seat, SOLVE_HZ, target=target, zone=zone_of(device, target) if zone is None else zone
    )
    solution = Solution(problem, solve(problem, method))
    if method in CAPPED:
        solution = guarded(solution)
    firs = sample_firs(cancel_firs(solution), sample_rate=SAMPLE_RATE).astype(np.float32)
    return response_of(firs, FREQUENCY_HZ, sample_rate=SAMPLE_RATE, delay_frames=delay_for(SAMPLE_RATE))


@cache
def zone_of(device, target):
    return zone_plants(device, target)


def near_ear_ripple_db(device, seat, filters):
    """How uneven the near ear is against that of a real pair, which designs aim at; of the channel that has more."""
    ears = np.einsum("edf,dcf->ecf", seat.at(FREQUENCY_HZ), filters)
    near = own_ears(ears) / own_ears(pair_ears(device.listener, FREQUENCY_HZ))
    return float(ripple_db(FREQUENCY_HZ, 20 * np.log10(np.abs(near))).max())


def turned_seats(device):
    """The listener's own seat with the head turned further than any design has seen."""
    return [replace(device.listener.seat, yaw_deg=yaw) for yaw in (-15.0, 15.0)]


def plants_at(device, seats):
    return np.stack([plant(device, seat, step_hz=STEP_HZ).at(FREQUENCY_HZ) for seat in seats])


def with_driver_errors(plants, gain_db=0.5, turn_deg=3.0):
    """The plants, and the same with one driver too loud or too soft, too early or too late."""
    drivers = plants.shape[2]
    gain, turn = 10 ** (gain_db / 20), np.exp(1j * np.deg2rad(turn_deg))
    rows = [plants]
    for index, error in product(range(drivers), (gain * turn, gain / turn, turn / gain, 1 / (gain * turn))):
        changed = np.ones(drivers, complex)
        changed[index] = error
        rows.append(plants * changed[None, None, :, None])
    return np.concatenate(rows)
