"""Tables on fits and on non-negative patterns in spherical harmonics: docs/evidence/spherical-harmonics.md."""

from pathlib import Path

import numpy as np
from evidence import Table, write
from magnitude import fit_power, non_negative, null_pattern, square, squared_exponential_density
from threadpoolctl import threadpool_limits

from forestage import load_device
from forestage.acoustics.covariance import KERNELS, fit_least_squares, fit_tikhonov, regress, truncation_error_db
from forestage.acoustics.plant import directivity
from forestage.acoustics.spherical_harmonics import (
    evaluate,
    fibonacci_quadrature,
    product_quadrature,
    real_sh,
    transform,
)
from forestage.constants import SPEED_OF_SOUND_M_S

DEVICE = load_device(Path(__file__).resolve().parents[2] / "presets" / "devices" / "smart-speaker.toml")
FRONT = [driver.channel for driver in DEVICE.drivers].index("center")
TEXT = """
Real spherical harmonics, covariance kernels of the chord d between directions, and patterns that are never negative,
after Y. Luo, "Spherical harmonic covariance and magnitude function encodings for beamformer design" (EURASIP J. Audio,
Speech, Music Process. 2021:41). The device is `presets/devices/smart-speaker.toml`: three pistons on a rigid sphere.

- The smoother a kernel, the fewer orders it needs: the squared exponential falls much faster than the Matern kernels;
  the sinc has nearly no power above the order 1 / length scale.
- On noisy random fields the squared exponential has half the squared error of the best Tikhonov fit, whose weight knows
  the truth; the exponential is only a tenth better. Plain least squares diverges.
- On a driver the squared exponential is best, or close to it, at low frequencies and with few directions. Around 4 kHz
  the Matern kernel is up to 7 dB ahead, and Tikhonov up to 5 dB. A driver is told by fewer directions when it is
  expanded about its own position than about the device's centre.
- Written as a sum of squares, a power pattern stays non-negative at nearly the error of mere cutting off.
- Wider nulls buy on/off power ratio, and pay for it at the edge of the window and in white noise gain.

How the designs that follow from such patterns separate the ears is in [cancellation.md](cancellation.md).
"""


def db(power):
    return 10 * np.log10(power)


def directions_of(azimuth_deg, elevation_deg=0.0):
    azimuth, elevation = np.broadcast_arrays(np.deg2rad(azimuth_deg), np.deg2rad(elevation_deg))
    level = np.cos(elevation)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1)


def driver_coefficients(frequency_hz, *, order):
    """Coefficients of each driver's far field, relative to the device's centre: ((order + 1)^2, drivers, f)."""
    quadrature = product_quadrature(order)
    rings = quadrature.directions.reshape(order + 1, -1, 3)
    azimuth_deg = np.rad2deg(np.arctan2(rings[0, :, 1], rings[0, :, 0]))
    field = [
        directivity(
            DEVICE, frequency_hz, azimuth_deg, distance_m=100.0, elevation_deg=np.rad2deg(np.arcsin(ring[0, 2]))
        )
        for ring in rings
    ]
    field = 100.0 * np.concatenate(field, axis=1)
    return transform(np.moveaxis(field, 0, 1), order=order, quadrature=quadrature)


def truncation_table(length_scale=0.5):
    rows = [
        {"kernel": kernel}
        | {
            f"order {order}": truncation_error_db(kernel, length_scale=length_scale, order=order)
            for order in (4, 8, 12, 16, 24)
        }
        for kernel in KERNELS
    ]
    note = f"Power above the order over the whole power of the kernel; length scale {length_scale}."
    return Table("Truncation error of the kernels in dB", rows, note)


def random_field_errors(seed):
    """Squared error of each fit over the power of the field without its mean, for one random field."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(121)
    truth[:36] = rng.standard_normal(36)
    points = rng.standard_normal((100, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    values = (real_sh(points, 10) @ truth + 0.5 * rng.standard_normal(100))[:, None]

    def error(coefficients):
        return np.sum(np.abs(coefficients[:, 0] - truth) ** 2) / np.sum(truth[1:] ** 2)

    weights = 10.0 ** np.arange(-5.0, 3.0, 0.1)
    oracle = min(error(fit_tikhonov(points, values, order=10, weight=weight)) for weight in weights)
    return {
        "plain least squares": error(fit_least_squares(points, values, order=10)),
        "Tikhonov, most likely weight": error(fit_tikhonov(points, values, order=10)),
        "Tikhonov, best weight (knows the truth)": oracle,
    } | {kernel: error(regress(points, values, order=10, kernel=kernel).coefficients) for kernel in KERNELS}


def random_field_table(seeds=24):
    errors = [random_field_errors(seed) for seed in range(seeds)]
    rows = []
    for method in errors[0]:
        values = np.array([error[method] for error in errors])
        rows.append(
            {
                "fit": method,
                "mean": values.mean(),
                "standard deviation": values.std(ddof=1),
                "median": np.median(values),
                "worst": values.max(),
            }
        )
    note = (
        f"Normalised squared error over {seeds} seeds: random fields of order 5 (unit normal coefficients, "
        "root mean square 1.7), 100 random directions, noise 0.5, fit of order 10. Length scale, noise and the "
        "likeliest Tikhonov weight are found by marginal likelihood from the same 100 values."
    )
    return Table("Fit error by kernel, against Tikhonov and plain least squares", rows, note)


def measured_directions():
    sphere = {count: fibonacci_quadrature(count).directions for count in (72, 360)}
    open_below = {count: points[points[:, 2] > -2 / 3] for count, points in sphere.items()}
    return {
        "5 (front, sides, top, back)": np.array([[1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [-1, 0, 0]], float),
        "36 (horizontal ring)": directions_of(np.arange(0, 360, 10)),
    } | {f"{len(points)} (sphere without its lowest sixth)": points for points in open_below.values()}


def driver_table(frequency_hz=(500.0, 1000.0, 2000.0, 4000.0, 8000.0), order=16, seeds=5):
    frequency = np.array(frequency_hz)
    truth = driver_coefficients(frequency, order=24)[:, FRONT]
    everywhere = fibonacci_quadrature(2000).directions
    fits = {
        "squared exponential": lambda p, v: regress(p, v, order=order).coefficients,
        "Matern 5/2": lambda p, v: regress(p, v, order=order, kernel="matern-5/2").coefficients,
        "Tikhonov, most likely weight": lambda p, v: fit_tikhonov(p, v, order=order),
        "plain least squares": lambda p, v: fit_least_squares(p, v, order=order),
    }
    cases = [(name, "driver", DEVICE.body.radius_m) for name in fits] + [("squared exponential", "device", 0.0)]

    def field(points, forward_m):
        """What is measured relative to a point ``forward_m`` before the device's centre."""
        lead = np.exp(-2j * np.pi * frequency * forward_m / SPEED_OF_SOUND_M_S * points[:, :1])
        return evaluate(truth, points) * lead

    rows = []
    for where, points in measured_directions().items():
        for name, centre, forward_m in cases:
            clean, expected = field(points, forward_m), field(everywhere, forward_m)
            errors = []
            for seed in range(seeds):
                noise = np.random.default_rng(seed).standard_normal((2, *clean.shape))
                noisy = clean + 10 ** (-50 / 20) * np.abs(clean).max(axis=0) * (noise[0] + 1j * noise[1]) / np.sqrt(2)
                error = evaluate(fits[name](points, noisy), everywhere) - expected
                errors.append(np.sum(np.abs(error) ** 2, axis=0) / np.sum(np.abs(expected) ** 2, axis=0))
            row = {"directions": where, "fit": name, "expanded about": f"the {centre}"}
            levels = db(np.mean(errors, axis=0))
            rows.append(row | {f"{hz:g} Hz": level for hz, level in zip(frequency, levels, strict=True)})
    note = (
        f"Squared error over the whole sphere, mean of {seeds} seeds, order {order}, noise 50 dB below the loudest "
        "direction. The front driver of the device."
    )
    return Table("Fit error of a driver's far field in dB", rows, note)


def encoding_table(frequency_hz=(2000.0, 4000.0, 8000.0)):
    rows = []
    quadrature = product_quadrature(40)
    coefficients = driver_coefficients(np.array(frequency_hz), order=20)[:, FRONT]
    for hz, driver in zip(frequency_hz, coefficients.T, strict=True):
        power = square(driver)
        truth = evaluate(power, quadrature.directions)
        for order in (4, 8, 12):
            root = transform(np.sqrt(truth), order=order // 2, quadrature=quadrature)
            row = {"frequency in Hz": hz, "order": order}
            encodings = {
                "cut off": power[: (order + 1) ** 2],
                "square of the real root": square(root),
                "non-negative": non_negative(power, order=order),
            }
            for name, encoded in encodings.items():
                values = evaluate(encoded, quadrature.directions)
                row[f"{name}: error in dB"] = db(
                    quadrature.weights @ (values - truth) ** 2 / (quadrature.weights @ truth**2)
                )
                row[f"{name}: lowest in %"] = 100 * values.min() / truth.max()
            rows.append(row)
    note = (
        "The power pattern of the front driver. Lowest: smallest value over the peak of the truth; below 0 is no power."
    )
    return Table("Non-negative encodings of a power pattern", rows, note)


def beam_figures(pressure, azimuth_deg, weights, around):
    """Figures of a beam in dB: ``pressure`` of the drivers (azimuths, drivers), ``around`` its power on the sphere."""
    power = np.abs(pressure @ weights) ** 2
    side = np.abs(azimuth_deg)
    ahead = power[side == 0][0]
    strongest = np.max(np.abs(pressure[side == 0]) ** 2)
    return {
        "on/off": db(power[side <= 45].mean() / power[(side >= 70) & (side <= 110)].mean()),
        "45°": db(power[side == 45].mean() / ahead),
        "90°": db(power[side == 90].mean() / ahead),
        "directivity": db(ahead / around.mean()),
        "white noise gain": db(ahead / (np.vdot(weights, weights).real * strongest)),
    }


def null_table(frequency_hz=(315.0, 500.0, 800.0, 1250.0), order=12):
    drivers = np.moveaxis(driver_coefficients(np.array(frequency_hz), order=order), -1, 0)
    azimuth_deg = np.arange(-180.0, 180.0)
    circle, sphere = directions_of(azimuth_deg), fibonacci_quadrature(2000).directions
    front, left, right = directions_of([0.0, 90.0, -90.0])
    importance = sum(squared_exponential_density(v, length_scale=0.35, order=24) for v in (front, left, right))
    rows = []
    for length_scale in (None, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        row = {"length scale": "(plain mix)", "null in °": ""}
        weights = np.ones((len(drivers), len(DEVICE.drivers)), complex)
        if length_scale is not None:
            pattern = null_pattern([left, right], length_scale=length_scale, order=24)
            weights = [fit_power(driver, pattern, importance=importance) for driver in drivers]
            row = {"length scale": length_scale, "null in °": float(np.sum(evaluate(pattern, circle) < 0.25) / 2)}
        figures = [
            beam_figures(evaluate(driver, circle), azimuth_deg, w, np.abs(evaluate(driver, sphere) @ w) ** 2)
            for driver, w in zip(drivers, weights, strict=True)
        ]
        row |= {f"on/off at {hz:g} Hz": figure["on/off"] for hz, figure in zip(frequency_hz, figures, strict=True)}
        row |= {"45°, lowest": min(figure["45°"] for figure in figures)}
        row |= {"90°, highest": max(figure["90°"] for figure in figures)}
        row |= {
            f"{name}, lowest": min(figure[name] for figure in figures) for name in ("directivity", "white noise gain")
        }
        rows.append(row)
    note = (
        "Target: the power pattern (1 - bumps)² with squared-exponential bumps at ±90°, met by the squared magnitude "
        "of the three drivers in least squares, weighed by bumps (length scale 0.35) to the front and to both nulls. "
        "Null: width of the target below -6 dB, per side. On/off: mean power within ±45° over that at 70..110° on "
        "both sides. 45° and 90°: relative to the front. White noise gain: power ahead over the sum of the squared "
        "weights, relative to the strongest driver alone. Lowest and highest: of the four frequencies."
    )
    return Table("Width of the nulls against on/off power ratio in dB, three drivers", rows, note)


def main():
    tables = [truncation_table(), random_field_table(), driver_table(), encoding_table(), null_table()]
    write("spherical-harmonics", "Spherical harmonics: covariance fits and non-negative patterns", tables, text=TEXT)


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
