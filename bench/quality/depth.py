"""Depth in rooms: how far the direct sound of a device carries, and what of its separation survives.

One page for two devices in three rooms, from the exported filters and the image model.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import numpy as np
from comparison import device_of
from evidence import Table, write
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from forestage.acoustics.device import Driver, Seat
from forestage.acoustics.device_in_room import DeviceInRoom, Rendering
from forestage.acoustics.image_sources import Images
from forestage.acoustics.shoebox import ROOMS
from forestage.design.designer import design
from forestage.metrics.bands import OCTAVE_EDGES_HZ, OCTAVES
from forestage.metrics.chain import Chain
from forestage.metrics.depth import directivity_index_db
from forestage.metrics.localisation import TIME_HZ, Localiser
from forestage.metrics.room import (
    clarity_db,
    critical_distance_m,
    early_lateral_fraction,
    iacc,
    iacc_late,
    onset_frame,
    source_ear_coherence,
)

SAMPLE_RATE = 16_000
RENDERING = Rendering(length_s=0.5, sample_rate=SAMPLE_RATE, highest_hz=3000.0, images=Images(until_s=0.2))
DISTANCES_M = (1.0, 2.0, 3.0, 4.0)
BEHIND_M = 0.45  # from the device's origin to the wall behind it, and at least so much behind a head
HEIGHT_M, HEAD_HIGHER_M = 1.0, 0.1
ASIDE = (0.46, 0.42, 0.6)  # where the device and its listener are, in shares of the room's width
MIDRANGE, WIDE = "250-1000 Hz", "200-6400 Hz"
BANDS = {MIDRANGE: (250.0, 1000.0), WIDE: (200.0, 6400.0)}
OCTAVE_BANDS = {f"{middle} Hz": (middle / 2**0.5, middle * 2**0.5) for middle in (250, 500, 1000)}
OMNI_DRIVER = "one omni driver"
CENTER = (OMNI_DRIVER, "plain mix", "beam")
SYSTEMS = (*CENTER, "plain device", "full chain")
# Omnidirectional, and a figure of eight along y of the room, as the ears are of a listener who faces the device
MICROPHONES = np.sqrt(4 * np.pi) * np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1 / np.sqrt(3), 0.0, 0.0]])
EARLY_MS = (5, 10, 50)
MAP_LATERAL_M = (-0.5, -0.25, -0.1, 0.0, 0.1, 0.25, 0.5)
MAP_DISTANCES_M = (1.5, 2.0, 2.5)
MAP_YAW_DEG = (-20.0, 0.0, 20.0)
MAPS = (
    *(f"separation (dB), {part}" for part in ("direct", "first 5 ms", "everything")),
    *(f"azimuth error (deg), full chain, {part}" for part in ("direct", "first 5 ms", "everything")),
    "azimuth error (deg), plain device, first 5 ms",
)
# Filters look ahead: played responses come so much later
AHEAD_FRAMES = round(0.01 * SAMPLE_RATE)
FFT_FRAMES = next_fast_len(round(RENDERING.length_s * SAMPLE_RATE) + 8 * AHEAD_FRAMES, real=True)
BIN_HZ = rfftfreq(FFT_FRAMES, 1 / SAMPLE_RATE)
LATE = np.exp(-2j * np.pi * BIN_HZ * AHEAD_FRAMES / SAMPLE_RATE)

TEXT = f"""
Rooms are shoeboxes of the image model with materials of homes (`forestage.acoustics.shoebox`); devices stand
{BEHIND_M} m in front of a wall at {HEIGHT_M} m, and the listener faces them, with the ears {HEAD_HIGHER_M} m higher.
Figures are means over three places along the wall. "Direct" is what the free field brings, "reverberant" everything
else, so that the length of filters does not count as reverberation. DRR, critical distance, C50, IACC and coherence are
those of the ears of a spherical head (DRR: energies of both ears together; coherence: through a window of 0.1 s), the
lateral fraction that of an omnidirectional receiver and a figure of eight in its place; of a channel that is meant for
one ear it says nothing and is left out. Bodies and heads do not scatter each other's sound, furniture does not scatter
at all; reflections know directivity completely up to 3 kHz.

- **one omni driver**: a point source, playing the centre.
- **plain mix**: the centre played by the left and the right driver alike. **beam**: the centre through the beam.
- **plain device**: a sound in the left channel, played by the left drivers. **full chain**: the same through the
  virtual pair and the crosstalk cancellation.

What comes out:

- The beam of the smart speaker carries further: DRR 1.5 to 3.9 dB above the plain mix (2.8 dB in the mean, where the
  directivity index of the free field makes one expect 2.6 dB) and 3.3 to 5.5 dB above one omni driver, 250-1000 Hz.
- That of the soundbar does the opposite, by 6 dB: its directivity index is negative there. Three points over 72 cm with
  a main lobe of ±45° send more to all other sides than to the front; its plain mix is the better centre.
- Cancellation is paid for in depth: a sound in one channel of the smart speaker has a DRR 13 to 14 dB lower than in
  plain stereo, because the drive is 9 dB higher for a sound that only one ear is to get.
- Of 13 dB of separation at 2 m, 4 to 5 dB are left in the first 5 ms in the living rooms, none in the kitchen, and none
  anywhere once the side walls answer. At 0.5 m a laptop keeps 9 of 11 dB for 5 ms, 6 to 8 dB for 10 ms, and 2 to 4 dB
  of everything.
- What listeners localise by, the first sound, keeps its azimuth: on the axis, 1.5 to 2.5 m away, the virtual left
  loudspeaker stands within 11° of its place in the first 5 ms (plain device: 21 to 36° too far inside), whether the
  head is turned or not. Beside the axis it falls back to the device, as in the free field. The times of the whole
  response tell no azimuth at all.
"""


@dataclass(frozen=True)
class Scene:
    """What a seat hears of each driver: at its ears, of that directly, shape (2, drivers, frames); and microphones.

    The microphones are an omnidirectional one and a figure of eight to the sides, shape (2, drivers, frames).
    """

    ears: np.ndarray
    direct: np.ndarray
    microphones: np.ndarray

    @classmethod
    def of(cls, device, room, aside, seat):
        here = in_room(device, room, aside)
        place = here.place(seat, RENDERING)
        return cls(place.ears(seat.yaw_deg)[0], in_the_open(here).ears(seat, RENDERING), place.microphones(MICROPHONES))


def in_room(device, room, aside):
    return DeviceInRoom(device, room, (BEHIND_M, aside * room.dimensions_m[1], HEIGHT_M))


def in_the_open(scene):
    """The same places, where nothing reflects."""
    return replace(scene, room=replace(scene.room, absorption=np.array(1.0)))


def play(responses, feeds):
    """Impulse responses (receivers, frames) of a channel that the drivers get through feeds (drivers, bins)."""
    return irfft(np.einsum("rdf,df->rf", rfft(responses, FFT_FRAMES), feeds), FFT_FRAMES)


@cache
def designed(name):
    return design(device_of(name), sample_rates=(48_000,), render=None)


@cache
def channel_feeds(name):
    """Feeds of the drivers for the (left, right) channel, shape (drivers, 2, bins)."""
    chain = Chain.of(designed(name), BIN_HZ)
    return {
        "plain device": chain.plain * LATE,
        "cancellation": chain.cancelled * LATE,
        "full chain": chain.staged * LATE,
    }


@cache
def feeds_of(name):
    """Feeds of the drivers, shape (drivers, bins): for the centre, and for a sound in the left channel."""
    chain = Chain.of(designed(name), BIN_HZ)
    centers = {"plain mix": chain.plain_center * LATE, "beam": chain.center * LATE}
    return centers | {system: feeds[:, 0] for system, feeds in channel_feeds(name).items()}


def omni_driver(device):
    """One point source at the origin: two halves of it, as a device has two sides."""
    halves = tuple(Driver(side, side, (0.0, y, 0.0)) for side, y in (("left", 1e-3), ("right", -1e-3)))
    return replace(device, drivers=halves, body=None)


def energy(response, band_hz):
    frequency = rfftfreq(response.shape[-1], 1 / SAMPLE_RATE)
    inside = (frequency >= band_hz[0]) & (frequency < band_hz[1])
    return np.sum(np.abs(rfft(response)[..., inside]) ** 2, axis=-1)


def figures(scene, feeds, band_hz, *, distance_m, is_center):
    """All figures of depth in one band."""
    ears, direct = play(scene.ears, feeds), play(scene.direct, feeds)
    omni, aside = play(scene.microphones, feeds)
    where = {"sample_rate": SAMPLE_RATE, "band_hz": band_hz}
    drr = {
        name: float(10 * np.log10(np.divide(*(energy(x, band).sum() for x in (direct, ears - direct)))))
        for name, band in ({"DRR (dB)": band_hz} | OCTAVE_BANDS).items()
    }
    frequency, coherence = source_ear_coherence(ears, sample_rate=SAMPLE_RATE)
    inside = (frequency >= band_hz[0]) & (frequency < band_hz[1])
    lateral = float(early_lateral_fraction(omni, aside, **where)) if is_center else np.nan
    return drr | {
        "critical distance (m)": float(critical_distance_m(drr["DRR (dB)"], distance_m)),
        "lateral fraction": lateral,
        "C50 (dB)": float(clarity_db(ears, **where).mean()),
        "IACC early": float(iacc(ears, **where)),
        "IACC late": float(iacc_late(ears, **where)),
        "coherence": float(coherence[:, inside].mean()),
    }


def mean_of(rows):
    """Means of the numbers in rows of the same keys."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0] if not isinstance(rows[0][key], str)}


def distances_in(room):
    """The distances, the farthest one shortened to what the room has."""
    farthest = round(room.dimensions_m[0] - 2 * BEHIND_M, 1)
    return sorted({min(distance, farthest) for distance in DISTANCES_M})


def survey(name):
    """Rows of all figures by (band, system), one for each room and distance, means over places."""
    device, feeds = device_of(name), feeds_of(name)
    half = 0.5 * np.stack([LATE, LATE])
    found = {}
    for title, room in ROOMS.items():
        for distance_m in distances_in(room):
            seat = Seat((distance_m, 0.0, HEAD_HIGHER_M))
            heard = [[Scene.of(each, room, aside, seat) for aside in ASIDE] for each in (omni_driver(device), device)]
            for system in SYSTEMS:
                scenes = heard[0] if system == OMNI_DRIVER else heard[1]
                for band, edges in BANDS.items():
                    rows = [
                        figures(
                            scene,
                            half if system == OMNI_DRIVER else feeds[system],
                            edges,
                            distance_m=distance_m,
                            is_center=system in CENTER,
                        )
                        for scene in scenes
                    ]
                    row = {"room": title, "system": system, "distance (m)": distance_m} | mean_of(rows)
                    found.setdefault((band, system), []).append(row)
    return found


def gains_table(title, name, found):
    """DRR of the beam over others, row by row, and the mean of all."""
    rows = []
    for index, beam in enumerate(found[MIDRANGE, "beam"]):
        row = {"room": beam["room"], "distance (m)": beam["distance (m)"]}
        for other in ("plain mix", OMNI_DRIVER):
            for band in BANDS:
                gain = found[band, "beam"][index]["DRR (dB)"] - found[band, other][index]["DRR (dB)"]
                row[f"over {other}, {band}"] = gain
            row |= {
                f"over {other}, {octave}": beam[octave] - found[MIDRANGE, other][index][octave]
                for octave in OCTAVE_BANDS
            }
        rows.append(row)
    gains = [{key: value for key, value in row.items() if key != "distance (m)"} for row in rows]
    expected = {"room": "by directivity index"} | {f"over plain mix, {MIDRANGE}": index_gain_db(name)}
    return Table(f"{title}: DRR of the beam over others (dB)", [*rows, {"room": "mean"} | mean_of(gains), expected])


def index_gain_db(name):
    """Directivity index of the beam over that of the plain mix: what a diffuse field would make of them."""
    frequency = np.arange(260.0, 1000.0, 20.0)
    chain = Chain.of(designed(name), frequency)
    index = [directivity_index_db(device_of(name), each, frequency) for each in (chain.center, chain.plain_center)]
    return float(np.mean(index[0] - index[1]))


def figures_table(title, found, band):
    """All figures by room and system, means over distances."""
    rows = []
    for room in ROOMS:
        for system in SYSTEMS:
            mean = mean_of([row for row in found[band, system] if row["room"] == room])
            kept = {key: value for key, value in mean.items() if key not in OCTAVE_BANDS and key != "distance (m)"}
            rows.append({"room": room, "system": system} | kept)
    return Table(f"{title}: depth, {band}, mean over distances", rows)


def distance_table(title, found):
    """DRR against distance."""
    rows = []
    for room in ROOMS:
        for system in SYSTEMS:
            each = [row for row in found[MIDRANGE, system] if row["room"] == room]
            rows.append(
                {"room": room, "system": system} | {f"{row['distance (m)']:g} m": row["DRR (dB)"] for row in each}
            )
    return Table(f"{title}: DRR against distance, {MIDRANGE} (dB)", rows)


def octave_separation(left, right):
    """Energy of a channel at its own over that at the other ear, per octave, of the channel that has less of it."""
    octaves = list(zip(OCTAVE_EDGES_HZ[:-1], OCTAVE_EDGES_HZ[1:], strict=True))
    ratios = [[np.divide(*energy(ears, edges)) for edges in octaves] for ears in (left, right[::-1])]
    return 10 * np.log10(np.min(ratios, axis=0))


def first(ears, direct, milliseconds):
    """What arrives within a time after the direct sound begins, faded out over the last quarter."""
    frames = milliseconds / 1e3 * SAMPLE_RATE
    after = np.arange(ears.shape[-1]) - onset_frame(direct)
    return ears * np.clip((frames - after) / (0.25 * frames), 0.0, 1.0)


def parts_of(ears, direct):
    """The direct sound, more and more of what follows, and everything."""
    return {
        "direct": direct,
        **{f"first {each} ms": first(ears, direct, each) for each in EARLY_MS},
        "everything": ears,
    }


def heard_parts(ears, direct, feeds):
    """`parts_of` both channels (left, right) that go through feeds (drivers, 2, bins)."""
    channels = [parts_of(play(ears, feeds[:, channel]), play(direct, feeds[:, channel])) for channel in (0, 1)]
    return {part: [channel[part] for channel in channels] for part in channels[0]}


def separation_table(title, name):
    """What of the separation survives at the seat of the design."""
    device = device_of(name)
    seat = Seat((device.listener.distance_m, 0.0, 0.0))
    rows = []
    for room_name, room in ROOMS.items():
        scenes = [Scene.of(device, room, aside, seat) for aside in ASIDE]
        for system, feeds in channel_feeds(name).items():
            if system == "full chain":
                continue
            heard = [heard_parts(scene.ears, scene.direct, feeds) for scene in scenes]
            for part in heard[0]:
                values = np.mean([octave_separation(*each[part]) for each in heard], axis=0)
                row = dict(zip(OCTAVES, values.tolist(), strict=True)) | {"mean": float(values.mean())}
                rows.append({"room": room_name, "system": system, "part": part} | row)
    return Table(f"{title}: separation at the seat of the design, {device.listener.distance_m:g} m (dB)", rows)


def map_tables(name, room):
    """Separation, and azimuth of the left channel, over seats that are moved and turned."""
    device, feeds = device_of(name), channel_feeds(name)
    distance_m, angle = device.listener.distance_m, np.deg2rad(designed(name).stereo.width_deg)
    localiser = Localiser.of(device.listener.head, distance_m=distance_m)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(FFT_FRAMES), TIME_HZ) / SAMPLE_RATE)
    speaker = distance_m * np.array([1.0 - np.cos(angle), np.sin(angle), 0.0])
    scene = in_room(device, room, ASIDE[0])
    maps = {}
    for x, y in product(MAP_DISTANCES_M, MAP_LATERAL_M):
        seats = [Seat((x, y, HEAD_HIGHER_M), yaw_deg) for yaw_deg in MAP_YAW_DEG]
        for seat, ears in zip(seats, scene.place(seats[0], RENDERING).ears(MAP_YAW_DEG), strict=True):
            direct = in_the_open(scene).ears(seat, RENDERING)
            ahead, left, _ = seat.in_head([speaker])[0]
            figures_of = {}
            for part, channels in heard_parts(ears, direct, feeds["cancellation"]).items():
                figures_of[f"separation (dB), {part}"] = float(octave_separation(*channels).mean())
            for system in ("plain device", "full chain"):
                for part, channels in heard_parts(ears, direct, feeds[system]).items():
                    off_deg = localiser.time_azimuth_deg(channels[0] @ turns) - np.rad2deg(np.arctan2(left, ahead))
                    figures_of[f"azimuth error (deg), {system}, {part}"] = float(off_deg)
            for title in MAPS:
                cells = maps.setdefault(title, {}).setdefault((x, seat.yaw_deg), {})
                cells[f"{y:g} m"] = figures_of[title]
    where = f"{device.name}, {room.name.lower()}"
    return [
        Table(f"{where}: {title}", [{"distance (m)": x, "turned (deg)": yaw} | row for (x, yaw), row in cells.items()])
        for title, cells in maps.items()
    ]


def main():
    tables = []
    for title, name in (("Smart speaker", "smart-speaker"), ("Soundbar with three drivers", "soundbar-3")):
        found = survey(name)
        tables += [gains_table(title, name, found), distance_table(title, found)]
        tables += [figures_table(title, found, band) for band in BANDS]
        tables.append(separation_table(title, name))
    tables.append(separation_table("Laptop", "laptop"))
    tables += map_tables("smart-speaker", ROOMS["living-room"])
    write("depth", "Depth in rooms", tables, text=TEXT)


if __name__ == "__main__":
    main()
