"""What the metrics and pictures need of a design, from filters at hand: no designer runs."""

from types import SimpleNamespace

import numpy as np

from forestage import load_device, load_preset
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.plant import plant
from forestage.acoustics.seat import Listener
from forestage.constants import SAMPLE_RATE
from forestage.design.cancel.target import CancelTarget
from places import DEVICES


def pair(*, y_m=0.1, distance_m=1.0, x_m=0.0):
    drivers = (Driver("left", "left", (x_m, y_m, 0.0)), Driver("right", "right", (x_m, -y_m, 0.0)))
    return Device("Pair", drivers, Listener(distance_m))


def headphones():
    drivers = (Driver("left", "left", ear="left"), Driver("right", "right", ear="right"))
    return Device("Headphones", drivers, Listener(2.0))


def stub_design(
    device,
    *,
    cancel=None,
    crosstalk=(),
    beam=(),
    phantom=(),
    delay_frames=8,
    crosstalk_delay_frames=8,
    align_frames=(0, 0),
    width_deg=30.0,
):
    """A design with given FIRs; plain stereo, a plain mix and all of the virtual crosstalk by default."""
    if cancel is None:
        cancel = np.zeros((len(device.drivers), 2, 16))
        cancel[:, :, delay_frames] = device.plain_gains
    filters = SimpleNamespace(
        sample_rate=SAMPLE_RATE,
        delay_frames=delay_frames,
        cancel_align_frames=align_frames[0],
        beam_align_frames=align_frames[1],
        crosstalk_delay_frames=crosstalk_delay_frames,
        cancel=np.asarray(cancel),
        crosstalk=np.asarray(crosstalk),
        beam=np.asarray(beam),
        phantom=np.asarray(phantom),
        driver_eq=(),
        bass=(),
    )
    return SimpleNamespace(
        device=device,
        name=device.name,
        plant=plant(device),
        target=CancelTarget(),
        width_deg=width_deg,
        filter_set=lambda sample_rate=SAMPLE_RATE: filters,
    )


def shipped(name):
    """A factory preset as a design of its device."""
    preset = load_preset(name)
    filters = preset.filters(SAMPLE_RATE)
    taps = max(len(fir) for row in filters.cancel for fir in row)
    return stub_design(
        load_device(DEVICES / f"{name}.toml"),
        cancel=[[_padded(fir, taps) for fir in row] for row in filters.cancel],
        crosstalk=filters.crosstalk,
        beam=[_padded(fir, taps) for fir in filters.beam],
        phantom=[_padded(fir, taps) for fir in filters.phantom],
        delay_frames=filters.delay_frames,
        align_frames=(filters.cancel_align_frames, filters.beam_align_frames),
        crosstalk_delay_frames=filters.crosstalk_delay_frames,
        width_deg=preset.parameters["stage_width_deg"],
    )


def _padded(fir, taps):
    return np.pad(fir, (0, taps - len(fir)))
