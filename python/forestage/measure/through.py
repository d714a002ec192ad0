"""Sweeps played through a preset, to hold what reaches the ears against what its design promised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forestage.acoustics.device import Device
from forestage.arrays import FloatArray
from forestage.audio_file import write_wav
from forestage.catalogue import preset_path
from forestage.design.preset_device import preset_device
from forestage.files import read_text
from forestage.measure.folder import folder_written_whole
from forestage.measure.plan import PLAN_NAME, TAIL_S, Plan, places_for
from forestage.measure.sweep import Sweep
from forestage.presets import PresetLike, preset_form
from forestage.render import Renderer

# What is played, by name: inputs of the (left, right) channel, and settings of the engine
PROGRAMMES: Mapping[str, tuple[tuple[float, float], Mapping[str, Any]]] = {
    "left": ((1.0, 0.0), {"upmix": 0, "stage_crosstalk": 0}),
    "right": ((0.0, 1.0), {"upmix": 0, "stage_crosstalk": 0}),
    "centre": ((1.0, 1.0), {"upmix": 100}),
    "unaided left": ((1.0, 0.0), {"upmix": 0, "amount": 0}),
    "unaided right": ((0.0, 1.0), {"upmix": 0, "amount": 0}),
}
NAMES = tuple(PROGRAMMES)
AS_IT_IS: Mapping[str, Any] = {"monitor": "Speakers", "safe_headroom": "Off"}
# So low that nothing in the engine limits, and what becomes of it afterwards
PLAYED_DB, PEAK_DB = -30.0, -3.0
PRESET_NAME, SOUND_NAME = "preset.json", "check.wav"


@dataclass(frozen=True)
class ThroughPlan(Plan):
    """A plan whose parts are `PROGRAMMES` in the place of drivers; markers come from the reference driver alone."""

    def sweep(self, driver: int) -> Sweep:
        """The sweep of every programme."""
        return Sweep(self.low_hz, 0.49 * self.sample_rate, self.length_s, self.sample_rate)

    @property
    def programmes(self) -> list[int]:
        """All of them."""
        return list(range(len(PROGRAMMES)))

    def played(self, preset: PresetLike) -> tuple[NDArray[np.float32], float]:
        """Feeds of all drivers, shape (drivers, frames), and the level of the sweeps behind the preset in dB."""
        feeds = np.zeros((len(self.drivers), self.frames(self.programmes)))
        for part in self.parts(self.programmes):
            if part.driver is not None:
                sound = self._through(preset, part.driver)
                feeds[:, part.frame : part.frame + sound.shape[1]] += sound
        gain_db = PEAK_DB - 20.0 * np.log10(max(float(np.abs(feeds).max()), 1e-9))
        feeds *= 10.0 ** (gain_db / 20)
        parts = self.parts(self.programmes)
        for part in parts:
            if part.driver is None:
                chirp = self.marker(is_last=part is parts[-1])
                feeds[self.reference, part.frame : part.frame + len(chirp)] += 10.0 ** (self.level_db / 20) * chirp
        return feeds.astype(np.float32), PLAYED_DB + gain_db

    def _through(self, preset: PresetLike, programme: int) -> FloatArray:
        """What the drivers get of one sweep, without the engine's latency, shape (drivers, frames)."""
        inputs, settings = PROGRAMMES[NAMES[programme]]
        renderer = Renderer(preset, sample_rate=self.sample_rate, **AS_IT_IS, **settings)
        sweep = 10.0 ** (PLAYED_DB / 20) * self.sweep(programme).samples()
        frames = len(sweep) + round(0.9 * TAIL_S * self.sample_rate)
        sound = np.zeros((2, frames + renderer.latency_frames), np.float32)
        sound[:, : len(sweep)] = np.outer(inputs, sweep)
        heard = renderer.process(sound)[: len(self.drivers), renderer.latency_frames :]
        return np.asarray(heard, dtype=np.float64)


def through_plan(preset: Mapping[str, Any], folder: Path, *, places: int, length_s: float, repeats: int) -> ThroughPlan:
    """A plan for the device of a preset, at its seat and on both sides of it."""
    device = preset_device(preset, folder=folder)
    if device.is_headphones:
        raise ValueError(f"{device.name}: headphones have no places to measure at")
    where = places_for(device, count=places, is_ears=True)
    return ThroughPlan(device, where, is_ears=True, length_s=length_s, repeats=repeats, level_db=-12.0)


def write_through(
    preset: str | Path,
    folder: str | Path,
    *,
    places: int = 1,
    length_s: float = 2.7,
    repeats: int = 2,
    overwrite: bool = False,
) -> list[Path]:
    """Write sweeps through a preset as driver feeds, the preset itself, and a plan of where the head goes.

    Parameters
    ----------
    preset : str or Path
        Factory name or preset file.
    folder : str or Path
        What to write into.
    places : int
        Places of the head: the seat first of all.
    length_s, repeats : float, int
        Of the sweeps.
    overwrite : bool
        Replace existing files.
    """
    path = preset_path(preset)
    form = preset_form(path)
    plan = through_plan(form, path.parent, places=places, length_s=length_s, repeats=repeats)
    sound, level_db = plan.played(path)
    with folder_written_whole(folder, overwrite=overwrite) as made:
        write_wav(made / SOUND_NAME, sound, sample_rate=plan.sample_rate)
        (made / PRESET_NAME).write_bytes(path.read_bytes())
        asked = {"places": places, "length_s": length_s, "repeats": repeats, "level_db": level_db}
        (made / PLAN_NAME).write_text(json.dumps({"forestage_check": 1, **asked}, indent=1) + "\n", encoding="utf-8")
        (made / "plan.txt").write_text(_text(plan), encoding="utf-8")
        return [Path(folder) / each.name for each in sorted(made.iterdir())]


def load_through(folder: Path) -> tuple[ThroughPlan, dict[str, Any]]:
    """Read what `write_through` has written: the plan, with the level of the sweeps as played, and the preset."""
    path = folder / PLAN_NAME
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; a folder of `forestage measure through` would be right")
    preset = preset_form(folder / PRESET_NAME)
    try:
        form = json.loads(read_text(path))
        if form.get("forestage_check") != 1:
            raise ValueError("not a plan of sweeps through a preset; `forestage measure through` makes one")
        plan = through_plan(preset, folder, places=form["places"], length_s=form["length_s"], repeats=form["repeats"])
        return ThroughPlan(**{**vars(plan), "level_db": min(float(form["level_db"]), 0.0)}), preset
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _text(plan: ThroughPlan) -> str:
    device: Device = plan.device
    lines = [
        f"{device.name}: sweeps through its preset, for two microphones in the ears of a head that faces the device.",
        "",
        *(
            f"place {index}: the middle of the head {100 * x:.1f} cm ahead of the device, "
            f"{100 * abs(y):.1f} cm {'left' if y >= 0 else 'right'}"
            for index, (x, y, _) in enumerate(plan.places_m, 1)
        ),
        "",
        f"At each place: record in stereo, left ear first, at {plan.sample_rate} Hz, while {SOUND_NAME} plays to the "
        f"drivers as it is ({plan.frames(plan.programmes) / plan.sample_rate:.0f} s): the preset is in it already.",
        "Name the recordings place-1.wav and so on.",
        "",
        f"Channels: {', '.join(f'{index} {driver.name}' for index, driver in enumerate(device.drivers, 1))}.",
    ]
    return "\n".join(lines) + "\n"
