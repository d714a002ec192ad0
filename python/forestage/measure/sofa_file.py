"""Measured impulse responses as a SOFA file (AES69), for other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forestage.arrays import FloatArray
from forestage.export.sofa import new_sofa, write_sofa
from forestage.measure.take import Measurement

CONVENTION = "SingleRoomMIMOSRIR"
# A device's y is to the listener's left, which is to the right of who looks along x
TO_SOFA = np.array([1.0, -1.0, 1.0])


def write_responses_sofa(measurement: Measurement, responses: FloatArray, path: Path) -> None:
    """Write responses from every driver at every place, with the device as the source and its drivers as emitters.

    Receivers are the left and the right ear, in this order, or the one microphone.

    Parameters
    ----------
    measurement : Measurement
        Where they were measured.
    responses : ndarray, shape (drivers, places, ears, frames)
        As the device file has them: of drivers behind their equalisers.
    path : Path
        What to write.

    Raises
    ------
    ModuleNotFoundError
        Without the package ``sofar``.
    """
    drivers, places, ears, _ = responses.shape
    plan = measurement.plan
    file = new_sofa(CONVENTION, title=f"Forestage: {plan.device.name}, measured")
    file.GLOBAL_Comment = f"drivers behind their equalisers: {', '.join(driver.name for driver in plan.drivers)}"
    file.Data_IR = responses.transpose(1, 2, 3, 0).astype(np.float64)
    file.Data_SamplingRate = float(measurement.sample_rate)
    file.Data_Delay = np.zeros((1, ears, 1))
    file.MeasurementDate = np.zeros(places)
    head_m = plan.device.listener.head.radius_m
    receivers = [[0.0, head_m, 0.0], [0.0, -head_m, 0.0]] if plan.is_ears else [[0.0, 0.0, 0.0]]
    centres = np.array([field.centre_m for field in plan.device.fields])
    _place(file, "Source", np.zeros((places, 3)), ahead=[1.0, 0.0, 0.0])
    _place(file, "Listener", TO_SOFA * np.array(measurement.places_m), ahead=[-1.0, 0.0, 0.0])
    _place(file, "Receiver", np.array(receivers), ahead=[1.0, 0.0, 0.0])
    _place(file, "Emitter", TO_SOFA * centres, ahead=[1.0, 0.0, 0.0])
    for name in ("ReceiverDescriptions", "EmitterDescriptions"):
        file.delete(name)  # lists of texts, which not all versions of netCDF write
    write_sofa(file, path)


def _place(file: object, what: str, positions_m: FloatArray, *, ahead: list[float]) -> None:
    setattr(file, f"{what}Position_Type", "cartesian")
    setattr(file, f"{what}Position_Units", "metre")
    setattr(file, f"{what}Position", positions_m)
    rows = len(positions_m) if what in ("Receiver", "Emitter") else 1
    setattr(file, f"{what}View", np.repeat([ahead], rows, axis=0))
    setattr(file, f"{what}Up", np.repeat([[0.0, 0.0, 1.0]], rows, axis=0))
