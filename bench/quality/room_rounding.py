"""What the rounding of room responses in presets changes: docs/evidence/room-rounding.md."""

import base64
import json

import numpy as np
from evidence import Table, write

from forestage import factory_presets
from forestage.acoustics.device_in_room import DeviceInRoom
from forestage.acoustics.seat import Seat
from forestage.acoustics.shoebox import named_room
from forestage.constants import SAMPLE_RATE
from forestage.design.ears import room_ear_firs
from forestage.design.preset_device import preset_device
from forestage.firs import decode_fir
from forestage.metrics.room import DIRECT_MS, clarity_db, decay_db, iacc, iacc_late, onset_frame, rt60_s

WINDOW = round(0.05 * SAMPLE_RATE)
BANDS_HZ = 1000.0 * 2 ** (np.arange(-9, 13) / 3)  # third octaves, 125 Hz to 16 kHz
TEXT = """
Presets hold the responses of their room rounded, so that FLAC packs them (`forestage.design.shaped_rounding`). Each is
compared with the response that it was made of: the ears from all drivers, and from the reference pair.

- Bits a tap are those of the FLAC streams, base64 undone.
- The error is below the response by so many dB in third octaves of 50 ms, half overlapping, within 60 dB of the
  direct sound: the mean over responses, windows and bands, up to 8 kHz and above; and the band and time of the least
  mean over responses. A figure of 20 dB is 0.04 dB of level.
- The largest differences of any response: the decay curve while it is above -40 dB, T20, C50, the direct over the
  reverberant sound; of any source: level at the ears, and the early and late interaural correlation.
"""


def responses(name):
    """Those of a preset's room and those they are rounded from, shape (sources, 2, taps), and bits a tap."""
    preset = json.loads(factory_presets()[name].read_text())
    if "room" not in preset:
        return None
    where, held = preset["design"]["room"], preset["room"]["ears"]
    device = preset_device(preset)
    scene = DeviceInRoom(device, named_room(where["room"]), tuple(where["position_m"]), where["azimuth_deg"])
    made = room_ear_firs(scene, Seat(tuple(where["seat_m"]), where["yaw_deg"], device.listener.seat.head))
    exact = np.concatenate([made.device, made.reference], axis=1).swapaxes(0, 1)
    texts = [
        ear[source] for ears in (held["device"], held["reference"]) for source in range(len(ears[0])) for ear in ears
    ]
    size = sum(len(base64.b64decode(text.partition(":")[2])) for text in texts)
    rounded = np.array([decode_fir(text) for text in texts])
    rounded = rounded.reshape(len(exact), 2, -1)[..., held["delay_frames"] - made.delay_frames :]
    return rounded, exact, 8 * size / rounded.size


def below_db(rounded, exact):
    """From the response to the error, in dB: mean over responses, shape (windows, bands); None where it is silent."""
    starts = np.arange(0, exact.shape[-1] - WINDOW + 1, WINDOW // 2)
    frequency = np.fft.rfftfreq(4 * WINDOW, 1 / SAMPLE_RATE)
    edges = BANDS_HZ[:, None] * 2 ** (np.array([-1, 1]) / 6)
    within = (frequency >= edges[:, :1]) & (frequency < edges[:, 1:])

    def power(x):
        cut = np.stack([x[..., start : start + WINDOW] for start in starts], axis=-2) * np.hanning(WINDOW)
        return np.abs(np.fft.rfft(cut, 4 * WINDOW)) ** 2 @ within.T

    loud, error = power(exact), power(rounded - exact)
    is_heard = loud > 1e-6 * loud.max(axis=-2, keepdims=True)
    level_db = 10 * np.log10(loud / np.maximum(error, 1e-30))
    return np.ma.masked_array(level_db, ~is_heard).mean(axis=(0, 1))


def direct_db(sources, exact):
    """Direct over reverberant sound with the onsets of the exact responses, as a threshold may find another frame."""
    ends = [onset_frame(ears) + round(DIRECT_MS * 1e-3 * SAMPLE_RATE) for ears in exact]
    parts = [(ears[:, :end], ears[:, end:]) for ears, end in zip(sources, ends, strict=True)]
    return np.array([10 * np.log10(np.sum(a**2, axis=-1) / np.sum(b**2, axis=-1)) for a, b in parts])


def figures(name):
    """A row of each table."""
    found = responses(name)
    if found is None:
        return None
    rounded, exact, bits = found

    def most(figure):
        both = [[figure(ears, sample_rate=SAMPLE_RATE) for ears in x] for x in (rounded, exact)]
        return float(np.abs(np.subtract(*both)).max())

    below = below_db(rounded, exact)
    window, band = np.unravel_index(np.ma.argmin(below), below.shape)
    curve, other = (decay_db(x, sample_rate=SAMPLE_RATE) for x in (exact, rounded))
    t20 = [rt60_s(x, sample_rate=SAMPLE_RATE) for x in (rounded, exact)]
    level = [10 * np.log10(np.sum(x**2, axis=-1)) for x in (rounded, exact)]
    direct = [direct_db(x, exact) for x in (rounded, exact)]
    return {
        "preset": name,
        "bits a tap": bits,
        "to 8 kHz": float(below[:, BANDS_HZ < 9000].mean()),
        "above": float(below[:, BANDS_HZ > 9000].mean()),
        "least": float(below[window, band]),
        "at Hz": round(float(BANDS_HZ[band])),
        "after ms": round(1000 * window * WINDOW / 2 / SAMPLE_RATE),
    }, {
        "preset": name,
        "decay dB": float(np.abs(curve - other)[curve > -40].max()),
        "T20 %": 100 * float(np.abs(t20[0] / t20[1] - 1).max()),
        "C50 dB": most(clarity_db),
        "D/R dB": float(np.abs(direct[0] - direct[1]).max()),
        "level dB": float(np.abs(level[0] - level[1]).max()),
        "IACC early": most(iacc),
        "IACC late": most(iacc_late),
    }


def main():
    """Write the tables."""
    rows = [row for row in map(figures, factory_presets()) if row is not None]
    write(
        "room-rounding",
        "Room responses in presets",
        [
            Table("Bits a tap, and dB from the response to the error", [row[0] for row in rows]),
            Table("Largest differences", [row[1] for row in rows]),
        ],
        text=TEXT,
    )


if __name__ == "__main__":
    main()
