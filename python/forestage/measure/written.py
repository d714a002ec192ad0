"""Folders that are written whole: sweeps with their plan, and measured devices."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from forestage.acoustics.device import Device
from forestage.acoustics.device_file import device_table
from forestage.acoustics.measured_head import MeasuredHead
from forestage.audio_file import write_wav
from forestage.measure.device_writer import device_toml
from forestage.measure.equalised import equalised_impulses
from forestage.measure.folder import folder_written_whole
from forestage.measure.page import report_html, save_svg
from forestage.measure.plan import PLAN_NAME, Plan
from forestage.measure.quality import THIRDS_HZ
from forestage.measure.sofa_file import write_responses_sofa
from forestage.measure.take import Measurement
from forestage.plots.axes import BLUE, INK, ORANGE

DEVICE_NAME, REPORT_NAME, SOFA_NAME = "device.toml", "report.html", "responses.sofa"


def write_sweeps(plan: Plan, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write one WAV file a driver, one of all of them, and the plan as JSON, text and picture.

    All files have a channel for every driver, in the order of the device file.
    """
    with folder_written_whole(folder, overwrite=overwrite) as made:
        everyone = list(range(len(plan.drivers)))
        for name, drivers in {"all": everyone, **{name: [index] for index, name in enumerate(plan.names)}}.items():
            write_wav(made / f"{plan.device.slug}-{name}.wav", plan.audio(drivers), sample_rate=plan.sample_rate)
        _keep_head(plan.device, made)
        _write_text(made / PLAN_NAME, json.dumps(_local_form(plan), indent=1) + "\n")
        _write_text(made / "plan.txt", plan_text(plan))
        save_svg(plan_picture(plan), made / "plan.svg")
        return [Path(folder) / path.name for path in sorted(made.iterdir())]


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _local_form(plan: Plan) -> dict[str, Any]:
    form = plan.form()
    _name_head(form["device"])
    return form


def _name_head(table: dict[str, Any]) -> None:
    if "head_sofa" in table["listener"]:
        table["listener"]["head_sofa"] = Path(table["listener"]["head_sofa"]).name


def _keep_head(device: Device, folder: Path) -> None:
    """Let the file of a measured head lie beside the device."""
    head = device.listener.head
    if isinstance(head, MeasuredHead):
        for file in head.files:
            if file.data is not None:
                (folder / Path(head.file).name).write_bytes(file.data)


def plan_text(plan: Plan) -> str:
    """What to do, in order."""
    what = (
        "Two microphones in the ears of a head that faces the device (left ear first)"
        if plan.is_ears
        else "A microphone at ear height, pointing at the device (or up, if it is calibrated for that)"
    )
    seconds = plan.frames(list(range(len(plan.drivers)))) / plan.sample_rate
    lines = [
        f"{plan.device.name}: {len(plan.places_m)} places, {len(plan.drivers)} drivers",
        "",
        f"{what}.",
        "Distances are from the device's origin: ahead to the listener, left as the listener has it, up.",
        "",
        *(
            f"place {index:2}: {100 * x:6.1f} cm ahead, {100 * abs(y):6.1f} cm {'left' if y >= 0 else 'right'}, "
            f"{100 * z:5.1f} cm up"
            for index, (x, y, z) in enumerate(plan.places_m, 1)
        ),
        "",
        f"At each place: start recording ({plan.sample_rate} Hz, {'stereo' if plan.is_ears else 'mono'}, WAV), play "
        f"{plan.device.slug}-all.wav ({seconds:.0f} s), stop recording.",
        "Keep all volumes, and keep quiet. Name the recordings place-1.wav, place-2.wav and so on.",
        "Where a player has no channel for every driver, play and record the files of single drivers instead: "
        f"{', '.join(f'place-1-{name}.wav' for name in plan.names)}.",
        "",
        f"Channels: {', '.join(f'{index} {driver.name}' for index, driver in enumerate(plan.drivers, 1))}.",
        f"Markers come from {plan.drivers[plan.reference].name}. Sweeps peak at {plan.level_db:g} dBFS: begin with the "
        "volume low.",
    ]
    return "\n".join(lines) + "\n"


def plan_picture(plan: Plan) -> Figure:
    """Device and places from above, as whoever listens sees them: left is left."""
    figure = Figure(figsize=(5.2, 5.6), layout="constrained")
    ax = figure.subplots()
    drivers = 100 * np.array([field.centre_m for field in plan.device.fields])
    places = 100 * np.array(plan.places_m)
    ax.scatter(-drivers[:, 1], drivers[:, 0], marker="s", s=60, color=BLUE)
    ax.scatter(-places[:, 1], places[:, 0], marker="o", s=50, color=ORANGE)
    for driver, (x, y, _) in zip(plan.drivers, drivers, strict=True):
        ax.annotate(driver.name, (-y, x), (0, -16), textcoords="offset points", ha="center", color=BLUE)
    for index, (x, y, _) in enumerate(places, 1):
        ax.annotate(str(index), (-y, x), (0, 9), textcoords="offset points", ha="center", color=INK)
    ax.set_aspect("equal")
    ax.set_xlabel("to the listener's right of the device's middle (cm)")
    ax.set_ylabel("ahead (cm)")
    wide = 1.15 * max(np.abs(places[:, 1]).max(), np.abs(drivers[:, 1]).max(), 10.0)
    ax.set_xlim(-wide, wide)
    ax.set_ylim(drivers[:, 0].min() - 0.12 * places[:, 0].max() - 4.0, 1.15 * places[:, 0].max())
    ax.set_title(f"{plan.device.name}: places 1 to {len(places)}, as seen by the listener")
    ax.grid(visible=True)
    return figure


def write_measurement(
    measurement: Measurement,
    folder: str | Path,
    *,
    overwrite: bool = False,
    recordings: Path | None = None,
    sofa: bool = False,
) -> list[Path]:
    """Write impulse responses, the device file that uses them, and the report; and ``recordings`` that have no home.

    ``sofa`` writes the responses as one SOFA file besides.
    """
    plan = measurement.plan
    with folder_written_whole(folder, overwrite=overwrite) as made:
        responses = equalised_impulses(measurement)
        table = device_table(measurement.device)
        _name_head(table)
        told = table["listener"]["ear_responses"] = []
        for driver, (row, name) in enumerate(zip(table["driver"], plan.names, strict=True)):
            heard = row["impulse_responses"] = []
            for place, position in enumerate(measurement.places_m):
                file = f"{name}-{place + 1}.wav"
                audio = responses[driver, place].astype(np.float32)
                write_wav(made / file, audio, sample_rate=plan.sample_rate)
                heard.append({"file": file, "position_m": list(position)})
                told.append({"file": file, "driver": row["name"], "position_m": list(position)})
            if plan.is_ears:
                del row["impulse_responses"]
        if plan.is_ears:
            table["listener"]["ears_snr_db"] = _snr_points(measurement)
        else:
            del table["listener"]["ear_responses"]
        if sofa:
            write_responses_sofa(measurement, responses, made / SOFA_NAME)
        _keep_head(plan.device, made)
        comment = "Measured; impulse responses are those of drivers behind their equalisers (response_db, level_db)."
        _write_text(made / DEVICE_NAME, device_toml(table, comment=comment))
        for path in sorted(recordings.iterdir()) if recordings is not None else ():
            shutil.copyfile(path, made / f"recorded-{path.name}")
        _write_text(made / REPORT_NAME, report_html(measurement))
        return [Path(folder) / path.name for path in sorted(made.iterdir())]


def _snr_points(measurement: Measurement) -> list[list[list[float]]]:
    """Signal over noise at each place of the driver that has least there, as a device file has it."""
    places = np.clip(measurement.snr_by_place_db.min(axis=0), 0.0, 90.0).round(1).tolist()
    hz = [float(f"{each:.4g}") for each in THIRDS_HZ.tolist()]
    return [[[at, level] for at, level in zip(hz, levels, strict=True)] for levels in places]
