"""The centre of a device that has no driver for it and whose sides differ: a mix that reaches both ears alike.

Each side reaches its near ear with n and the other ear with a share rho of that. Gains p of the aligned sides make

    left ear = p_l n_l + p_r n_r rho_r        right ear = p_r n_r + p_l n_l rho_l

so both ears hear the same, and the centre in front, for ``p_l / p_r = n_r (1 - rho_r) / (n_l (1 - rho_l))``.
"""

from __future__ import annotations

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.plant import Plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.design.filters import MASTER_RATE, delay_for, fit_firs, grid_for, log_fade, taps_for
from forestage.design.skew import aligned_plain

# Above, ears a few millimetres away hear something else
ALIKE_HZ = (3000.0, 6000.0)
# Sides so far apart are panned less and less: one of them does not play there
PANNED_DB = (12.0, 24.0)
LEVEL_HZ = (200.0, 2000.0)
MOST_DB = 6.0
OWN_SHARE = 0.05


def center_mix(device: Device, seat: Plant, frequency_hz: FloatArray) -> ComplexArray:
    """Gains of all drivers, shape (drivers, n): heard in front, and as even as one loudspeaker there would be."""
    frequency = np.clip(frequency_hz, 20.0, 20_000.0)
    sides = aligned_plain(seat, frequency)
    ears = np.einsum("edf,dcf->ecf", seat.at(frequency), sides)
    pan = np.log((ears[0, 1] - ears[1, 1]) / (ears[1, 0] - ears[0, 0]))
    pan *= 1.0 - log_fade(frequency, *ALIKE_HZ)
    pan *= 1.0 - log_fade(np.maximum(20.0 / np.log(10.0) * np.abs(pan.real), 1e-3), *PANNED_DB)
    gains = np.exp(np.stack([0.5 * pan, -0.5 * pan]))
    mix = np.sum(sides * gains, axis=1)
    if device.is_headphones:
        return mix
    front = device.listener.head.ears(frequency, [[device.listener.distance_m, 0.0, 0.0]])[:, 0]
    over_db = 10 * np.log10(
        np.sum(np.abs(np.sum(ears * gains, axis=1)) ** 2, axis=0) / np.sum(np.abs(front) ** 2, axis=0)
    )
    heard = (frequency >= LEVEL_HZ[0]) & (frequency <= LEVEL_HZ[1])
    return mix * 10.0 ** (np.clip(over_db[heard].mean() - over_db, -MOST_DB, MOST_DB) / 20)


def center_firs(device: Device, seat: Plant, *, sample_rate: int = MASTER_RATE) -> FloatArray:
    """Fitted filters, shape (drivers, taps), that arrive with the near ears of the sides; see `sample_firs`."""
    frequency = grid_for(sample_rate)
    wanted = center_mix(device, seat, frequency)
    used = np.flatnonzero(np.any(wanted, axis=-1))
    rows = seat.at(frequency)[:, used]
    kernel: ComplexArray = np.einsum("edf,egf->dgf", rows.conj(), rows) / np.mean(np.abs(rows) ** 2)
    kernel += OWN_SHARE * np.eye(len(used))[:, :, None]
    kernel /= np.sqrt(np.clip(frequency, 100.0, 20_000.0))
    firs = np.zeros((len(wanted), taps_for(sample_rate)))
    firs[used] = fit_firs(wanted[used], kernel=kernel, taps=taps_for(sample_rate), delay_frames=delay_for(sample_rate))
    return firs
