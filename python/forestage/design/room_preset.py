"""A preset whose headphones monitors can play in a room."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from forestage.acoustics.device_in_room import HALF_A_SECOND, DeviceInRoom, Rendering, usual_position_m
from forestage.acoustics.head import Head
from forestage.acoustics.image_sources import Progress
from forestage.acoustics.measured_head import MeasuredHead
from forestage.acoustics.seat import Seat, Vector
from forestage.acoustics.shoebox import ROOMS, Room, named_room
from forestage.design.calibrate import Render, calibrate, render_with_core
from forestage.design.ears import EarFirs, room_ear_firs
from forestage.design.preset_device import preset_device
from forestage.design.preset_form import ears_form, head_form
from forestage.design.shaped_rounding import rounded_room
from forestage.firs import decode_fir, encode_fir


def room_preset(
    preset: Mapping[str, Any],
    room: Room | str,
    *,
    seat_m: Vector | None = None,
    yaw_deg: float = 0.0,
    position_m: Vector | None = None,
    azimuth_deg: float = 0.0,
    head: Head | MeasuredHead | None = None,
    folder: str | Path = ".",
    rendering: Rendering = HALF_A_SECOND,
    progress: Progress | None = None,
    render: Render = render_with_core,
) -> dict[str, Any]:
    """Copy of a preset with the ear responses of a room, and their gains, beside those of the free field.

    Parameters
    ----------
    preset : mapping
        A preset in its JSON form that says what device it was designed for.
    room : Room or str
        A room, or a key of `forestage.acoustics.shoebox.ROOMS` in any case, such as ``"Living Room"``.
    seat_m : tuple of float, optional
        Centre of the head in the frame of the device; the seat of the design by default.
    yaw_deg : float
        How far the head is turned to its own left.
    position_m : tuple of float, optional
        Where the device is in the room; see `usual_position_m`.
    azimuth_deg : float
        Where the device aims: 0 along x of the room, 90 along y.
    head : Head or MeasuredHead, optional
        Who listens; the listener of the design by default.
    folder : str or Path
        Where measured files are that the preset does not hold.
    rendering : Rendering
        Length and images.
    progress : callable, optional
        Called with the share that is done, 0..1.
    render : callable
        Plays a preset for the loudness calibration, see `calibrate`.
    """
    place = named_room(room)
    device = preset_device(preset, folder=folder, head=head)
    own = device.listener.seat
    seat = Seat(seat_m or own.position_m, yaw_deg, head or own.head)
    scene = DeviceInRoom(device, place, position_m or usual_position_m(place), azimuth_deg)
    ears = room_ear_firs(scene, seat, rendering=rendering, progress=progress)
    where = {
        "room": next((key for key, each in ROOMS.items() if each is place), place.name),
        "position_m": list(scene.position_m),
        "azimuth_deg": azimuth_deg,
        "seat_m": list(seat.position_m),
        "yaw_deg": yaw_deg,
        "head": head_form(seat.head),
    }
    # Both places reach the ears at the same time: as late as the one that has to wait longer for what is nearer
    latest = max(ears.delay_frames, preset["ears"]["delay_frames"])
    free = _delayed(preset["ears"], latest)
    wait = ((0, 0), (0, 0), (latest - ears.delay_frames, 0))
    sources = np.concatenate([ears.device, ears.reference], axis=1)
    device_ears, reference_ears = np.split(rounded_room(np.pad(sources, wait)), [len(device.drivers)], axis=1)
    heard = ears_form(EarFirs(device_ears, reference_ears, latest))
    # A preset that knows nothing but the room is measured as any other is
    only_room = {key: preset[key] for key in preset if key != "room"} | {"ears": heard}
    loudness = calibrate(only_room, render=render)
    return dict(preset) | {
        "ears": free,
        "room": {"name": place.name, "ears": heard, "loudness": loudness.form()},
        "design": dict(preset["design"]) | {"room": where},
    }


def _delayed(ears: Mapping[str, Any], delay_frames: int) -> dict[str, Any]:
    """Ear responses of a preset with a longer modelling delay, by silence in front."""
    wait = delay_frames - ears["delay_frames"]

    def later(text: str) -> str:
        return encode_fir(np.pad(decode_fir(text), (wait, 0))) if text and wait else text

    rows = {key: [[later(text) for text in row] for row in ears[key]] for key in ("device", "reference")}
    return dict(ears) | rows | {"delay_frames": delay_frames}
