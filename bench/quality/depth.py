"""Depth in rooms: how far the direct sound of a device carries, and what of its separation survives.

One page for devices in three rooms, from the exported filters and the image model, with maps over seats as pictures.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import matplotlib as mpl
import numpy as np
from comparison import device_of
from evidence import DOCS, Table, write
from matplotlib.figure import Figure
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from threadpoolctl import threadpool_limits

from forestage.acoustics.device_in_room import SCATTERING, DeviceInRoom, Rendering
from forestage.acoustics.driver import Driver
from forestage.acoustics.driver_response import feed_responses
from forestage.acoustics.image_sources import Images
from forestage.acoustics.seat import Seat
from forestage.acoustics.shoebox import ROOMS
from forestage.design.beam import solve
from forestage.design.designer import design
from forestage.metrics.bands import OCTAVE_EDGES_HZ, OCTAVES
from forestage.metrics.chain import Chain
from forestage.metrics.depth import directivity_index_db
from forestage.metrics.localisation import TIME_HZ, Localiser
from forestage.metrics.room import (
    clarity_db,
    critical_distance_by_drr_m,
    early_lateral_fraction,
    iacc,
    iacc_late,
    onset_frame,
    source_ear_coherence,
)
from forestage.metrics.zone import SWEET_SPOT_DB, clear_lateral_m, zone_distances_m
from forestage.plots import axes

SAMPLE_RATE = 16_000
RENDERING = Rendering(
    length_s=0.5, sample_rate=SAMPLE_RATE, highest_hz=3000.0, images=Images(until_s=0.2, scattering=SCATTERING)
)
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
# Every factory preset of a device with a centre driver
BEAMS = {
    "smart-speaker": ("standard", "close"),
    "smart-speaker-up": ("standard",),
    "five-driver-speaker": ("standard", "close", "wide-zone"),
    "soundbar-3": ("standard", "close"),
    "soundbar-7": ("standard", "close", "wide-zone"),
}
# Of these, all figures
SURVEYED = ("smart-speaker", "soundbar-3")
MAPPED = {"smart-speaker": "Smart speaker", "soundbar-3": "Soundbar with three drivers", "laptop": "Laptop"}
MAP_PARTS = ("direct", "first 5 ms", "everything")
SEPARATION, AZIMUTH, PLAIN_AZIMUTH = (
    "separation (dB)",
    "azimuth error (deg), full chain",
    "azimuth error (deg), plain device",
)
MAP_YAW_DEG = (-20.0, 0.0, 20.0)
# Seats of the maps that tables tell: distances in shares of the design's, and places beside the axis
TOLD_RATIOS, TOLD_LATERAL_M = (0.75, 1.0, 1.25), (-0.5, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.5)
# Filters look ahead: played responses come so much later
AHEAD_FRAMES = round(0.01 * SAMPLE_RATE)
FFT_FRAMES = next_fast_len(round(RENDERING.length_s * SAMPLE_RATE) + 8 * AHEAD_FRAMES, real=True)
BIN_HZ = rfftfreq(FFT_FRAMES, 1 / SAMPLE_RATE)
LATE = np.exp(-2j * np.pi * BIN_HZ * AHEAD_FRAMES / SAMPLE_RATE)

TEXT = f"""
Rooms are shoeboxes of the image model with materials of homes (`forestage.acoustics.shoebox`); devices stand
{BEHIND_M} m in front of a wall at {HEIGHT_M} m, and the listener faces them, with the ears {HEAD_HIGHER_M} m higher.
Figures are means over three places along the wall. "Direct" is what the free field brings, "reverberant" everything
else, so that the length of filters does not count as reverberation. DRR, critical distance, C50, IACC and coherence
are those of the ears of a spherical head (DRR: energies of both ears together; coherence: through a window of 0.1 s),
the lateral fraction that of an omnidirectional receiver and a figure of eight in its place; of a channel that is
meant for one ear it says nothing and is left out. Bodies and heads do not scatter each other's sound, furniture does
not scatter at all; reflections know directivity completely up to 3 kHz. Walls scatter a fifth of what they reflect, and
reflections are statistical from 0.2 s on.

- **one omni driver**: a point source, playing the centre.
- **plain mix**: the centre played by the left and the right driver alike. **beam**: the centre through the beam.
- **plain device**: a sound in the left channel, played by the left drivers. **full chain**: the same through the
  virtual pair and the crosstalk cancellation.

What comes out:

- Beams carry further than the plain mix, 250-1000 Hz, in the mean over rooms and distances: by 2.8 to 3.1 dB those of
  the round speakers with a driver in front, 2.4 to 2.7 dB that of the soundbar with seven drivers, 1.8 to 1.9 dB that
  with three; and by 3.9 to 5.2 dB further than one omni driver. In no single place it is less than 1.3 dB over the
  plain mix.
- With a driver on top, 0.2 dB is all there is: that beam is the plain mix within 0.3 dB, and 2.3 dB over one omni
  driver. No beam of the three points of the soundbar can have more than 2.0 dB in directivity index.
- The variant `wide-zone` asks for the window of ±45° instead. The soundbar with seven drivers then falls 0.3 dB
  behind its plain mix; the round speaker has both.
- What is heard of the centre by default is not that beam: it is as near as in plain stereo, as sides that pay for their
  width with reverberation would else stand behind it. `center_presence` plays the beam.
- Cancellation is paid for in depth. A sound in one channel may lose 9 dB of DRR against plain stereo below 800 Hz and
  6 dB above; without that limit (variant `free-field`) the smart speaker loses 14 dB. For this price a round body of
  18 cm is heard at 12° at most, 2 m away ([bound](room-bound.md)), where plain stereo has 3°.
- Separation survives in the first 5 ms where the seat is near (a laptop) or the drivers are many (soundbars); across a
  room the smart speaker keeps little. The model is hard on the first milliseconds: its scattered sound begins with the
  first reflection and comes from everywhere, where that of real walls comes later and from them.
- Beside the axis the azimuth falls back to the device, as in the free field. The times of the whole response tell no
  azimuth at all, but in front of a laptop.

Maps over seats in the dry living room, seen from above, the device below the lower edge: a head that faces as the axis
does, moved, and one that is also turned to its left by 20°. Bright is good for separation, and bad for the azimuth.

![Smart speaker](depth-smart-speaker.svg)
![Soundbar with three drivers](depth-soundbar-3.svg)
![Laptop](depth-laptop.svg)
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


@cache
def omni_scenes(room_name, distance_m):
    """What a seat hears of one point source: two halves of it at the origin, as a device has two sides."""
    halves = tuple(Driver(side, side, (0.0, y, 0.0)) for side, y in (("left", 1e-3), ("right", -1e-3)))
    return in_places(replace(device_of("smart-speaker"), drivers=halves, body=None), room_name, distance_m)


@cache
def scenes_of(name, room_name, distance_m):
    """What a seat hears of a device."""
    return in_places(device_of(name), room_name, distance_m)


def in_places(device, room_name, distance_m):
    """A seat in front of the device, at three places along the wall."""
    return [Scene.of(device, ROOMS[room_name], aside, Seat((distance_m, 0.0, HEAD_HIGHER_M))) for aside in ASIDE]


def in_room(device, room, aside):
    return DeviceInRoom(device, room, (BEHIND_M, aside * room.dimensions_m[1], HEIGHT_M))


def in_the_open(scene):
    """The same places, where nothing reflects."""
    return replace(scene, room=replace(scene.room, absorption=np.array(1.0)))


def play(responses, feeds):
    """Impulse responses (receivers, frames) of a channel that the drivers get through feeds (drivers, bins)."""
    return irfft(np.einsum("rdf,df->rf", rfft(responses, FFT_FRAMES), feeds), FFT_FRAMES)


@cache
def designed(name, variant="standard"):
    return design(device_of(name), variant=variant, sample_rates=(48_000,), render=None)


@cache
def channel_feeds(name):
    """Feeds of the drivers behind their crossovers for the (left, right) channel, shape (drivers, 2, bins)."""
    chain, behind = Chain.of(designed(name), BIN_HZ), feed_responses(device_of(name), BIN_HZ)[:, None] * LATE
    return {
        "plain device": chain.plain * behind,
        "cancellation": chain.cancelled * behind,
        "full chain": chain.staged * behind,
    }


@cache
def feeds_of(name, variant="standard"):
    """Feeds of the drivers, shape (drivers, bins): for the centre, and for a sound in the left channel."""
    chain, behind = Chain.of(designed(name, variant), BIN_HZ), feed_responses(device_of(name), BIN_HZ) * LATE
    return {
        OMNI_DRIVER: 0.5 * np.stack([LATE, LATE]),
        "plain mix": chain.plain_center * behind,
        "beam": chain.flat_center * behind,
        "plain device": chain.plain[:, 0] * behind,
        "full chain": chain.staged[:, 0] * behind,
    }


def energy(response, band_hz):
    frequency = rfftfreq(response.shape[-1], 1 / SAMPLE_RATE)
    inside = (frequency >= band_hz[0]) & (frequency < band_hz[1])
    return np.sum(np.abs(rfft(response)[..., inside]) ** 2, axis=-1)


def drr_db(ears, direct, band_hz):
    """Energy of the direct sound over that of all else, both ears together."""
    return float(10 * np.log10(np.divide(*(energy(part, band_hz).sum() for part in (direct, ears - direct)))))


def figures(scene, feeds, band_hz, *, distance_m, is_center):
    """All figures of depth in one band."""
    ears, direct = play(scene.ears, feeds), play(scene.direct, feeds)
    omni, aside = play(scene.microphones, feeds)
    where = {"sample_rate": SAMPLE_RATE, "band_hz": band_hz}
    drr = {name: drr_db(ears, direct, band) for name, band in ({"DRR (dB)": band_hz} | OCTAVE_BANDS).items()}
    frequency, coherence = source_ear_coherence(ears, sample_rate=SAMPLE_RATE)
    inside = (frequency >= band_hz[0]) & (frequency < band_hz[1])
    lateral = float(early_lateral_fraction(omni, aside, **where)) if is_center else np.nan
    return drr | {
        "critical distance (m)": float(critical_distance_by_drr_m(drr["DRR (dB)"], distance_m)),
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


def seats_in_rooms():
    """Names of rooms, and distances in them."""
    return [(title, distance_m) for title, room in ROOMS.items() for distance_m in distances_in(room)]


def heard_from(name, system, room_name, distance_m):
    """The scenes of the omni driver, or of the device."""
    return omni_scenes(room_name, distance_m) if system == OMNI_DRIVER else scenes_of(name, room_name, distance_m)


def survey(name):
    """Rows of all figures by (band, system), one for each room and distance, means over places."""
    found = {}
    for (title, distance_m), system, (band, edges) in product(seats_in_rooms(), SYSTEMS, BANDS.items()):
        scenes, is_center = heard_from(name, system, title, distance_m), system in CENTER
        feeds = feeds_of(name)[system]
        rows = [figures(scene, feeds, edges, distance_m=distance_m, is_center=is_center) for scene in scenes]
        row = {"room": title, "system": system, "distance (m)": distance_m} | mean_of(rows)
        found.setdefault((band, system), []).append(row)
    return found


def center_drr_db(name, variant, system):
    """DRR of the centre in the rooms and at the distances, means over places."""
    feeds = feeds_of(name, variant)[system]
    return np.array(
        [
            np.mean(
                [
                    drr_db(play(scene.ears, feeds), play(scene.direct, feeds), BANDS[MIDRANGE])
                    for scene in heard_from(name, system, *where)
                ]
            )
            for where in seats_in_rooms()
        ]
    )


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


def index_gain_db(name, variant="standard"):
    """Directivity index of the beam over that of the plain mix: what a diffuse field would make of them."""
    frequency = np.arange(260.0, 1000.0, 20.0)
    chain = Chain.of(designed(name, variant), frequency)
    index = [directivity_index_db(device_of(name), each, frequency) for each in (chain.flat_center, chain.plain_center)]
    return float(np.mean(index[0] - index[1]))


def index_bound_db(name):
    """The same for the most directive beam that the drivers allow at each frequency, within the white noise gain."""
    frequency = np.arange(260.0, 1000.0, 20.0)
    plan = designed(name).beam_plan
    problem = plan.array.problem(frequency, plan.target)
    plain = plan.array.to_groups(device_of(name).plain_gains.sum(axis=1))[:, None] * np.ones(len(frequency))
    index = [problem.directivity_index_db(each) for each in (solve(problem, "superdirective"), plain)]
    return float(np.mean(index[0] - index[1]))


def beams_table():
    """What every beam is worth, over rooms and distances."""
    rows = []
    for name, variant in ((name, variant) for name, variants in BEAMS.items() for variant in variants):
        beam, plain, omni = (center_drr_db(name, variant, system) for system in ("beam", "plain mix", OMNI_DRIVER))
        rows.append(
            {
                "device": name,
                "variant": variant,
                "directivity index over plain mix": index_gain_db(name, variant),
                "the most there is": index_bound_db(name),
                "DRR over plain mix, mean": float(np.mean(beam - plain)),
                "least": float(np.min(beam - plain)),
                "DRR over one omni driver, mean": float(np.mean(beam - omni)),
                "least of these": float(np.min(beam - omni)),
            }
        )
    return Table(f"Beams of all devices, {MIDRANGE}, over rooms and distances (dB)", rows)


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


def zone_in_room(name, room):
    """Figures over seats that are moved and turned, by (figure, part), shape (turns, distances, places beside)."""
    device, feeds = device_of(name), channel_feeds(name)
    distances, lateral = seats_of(name)
    distance_m, angle = device.listener.distance_m, np.deg2rad(designed(name).width_deg)
    localiser = Localiser.of(device.listener.head, distance_m=distance_m)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(FFT_FRAMES), TIME_HZ) / SAMPLE_RATE)
    speaker = distance_m * np.array([1.0 - np.cos(angle), np.sin(angle), 0.0])
    scene = in_room(device, room, ASIDE[0])
    maps = {}
    for (row, x), (column, y) in product(enumerate(distances), enumerate(lateral)):
        seats = [Seat((x, y, HEAD_HIGHER_M), yaw_deg) for yaw_deg in MAP_YAW_DEG]
        heard = scene.place(seats[0], RENDERING).ears(MAP_YAW_DEG)
        for turn, (seat, ears) in enumerate(zip(seats, heard, strict=True)):
            direct = in_the_open(scene).ears(seat, RENDERING)
            ahead, left, _ = seat.in_head([speaker])[0]
            there_deg = np.rad2deg(np.arctan2(left, ahead))
            for part, channels in heard_parts(ears, direct, feeds["cancellation"]).items():
                cells = maps.setdefault((SEPARATION, part), np.empty((len(seats), len(distances), len(lateral))))
                cells[turn, row, column] = octave_separation(*channels).mean()
            for title, system in ((AZIMUTH, "full chain"), (PLAIN_AZIMUTH, "plain device")):
                for part, channels in heard_parts(ears, direct, feeds[system]).items():
                    cells = maps.setdefault((title, part), np.empty((len(seats), len(distances), len(lateral))))
                    cells[turn, row, column] = localiser.time_azimuth_deg(channels[0] @ turns) - there_deg
    return maps


def seats_of(name):
    """Distances and places beside the axis: where presets have their maps of the free field, and between."""
    nearest, *_, farthest = zone_distances_m(device_of(name))
    distances = np.linspace(nearest, farthest, 9)
    return distances, clear_lateral_m(device_of(name), distances)


def map_tables(name, room, maps):
    """Some of the seats of the maps as numbers."""
    distances, lateral = seats_of(name)
    ratios = distances / device_of(name).listener.distance_m
    told = [(row, distances[row]) for row in np.flatnonzero(np.isclose(ratios[:, None], TOLD_RATIOS).any(axis=1))]
    tables = []
    for title, part in (*product((SEPARATION, AZIMUTH), MAP_PARTS), (PLAIN_AZIMUTH, "first 5 ms")):
        rows = [
            {"distance (m)": float(x), "turned (deg)": yaw_deg}
            | {f"{y:g} m": float(maps[title, part][turn, row, np.argmin(np.abs(lateral - y))]) for y in TOLD_LATERAL_M}
            for (row, x), (turn, yaw_deg) in product(told, enumerate(MAP_YAW_DEG))
        ]
        tables.append(Table(f"{device_of(name).name}, {room.name.lower()}: {title}, {part}", rows))
    return tables


def plot_maps(name, maps):
    """Maps of a device: separation and error of the azimuth, for heads that face as the axis and that are turned."""
    device, (distances, lateral) = device_of(name), seats_of(name)
    turned = MAP_YAW_DEG.index(20.0)
    rows = [
        (SEPARATION, MAP_YAW_DEG.index(0.0), "separation, straight"),
        (SEPARATION, turned, "separation, turned by 20°"),
        (AZIMUTH, MAP_YAW_DEG.index(0.0), "azimuth, straight"),
        (AZIMUTH, turned, "azimuth, turned by 20°"),
    ]
    with mpl.rc_context({**axes.STYLE, "font.size": 9, "axes.titlesize": 10, "svg.hashsalt": name}):
        figure = Figure(figsize=(10.5, 11.0), layout="constrained", facecolor="white")
        panels = figure.subplots(len(rows), len(MAP_PARTS), sharex=True, sharey=True)
        for line, (title, turn, text) in zip(panels, rows, strict=True):
            is_azimuth = title == AZIMUTH
            for panel, part in zip(line, MAP_PARTS, strict=True):
                axes.zone_map(
                    lateral,
                    distances,
                    np.abs(maps[title, part][turn]) if is_azimuth else maps[title, part][turn],
                    seat_m=(0.0, device.listener.distance_m),
                    vmax=40.0 if is_azimuth else 15.0,
                    level=10.0 if is_azimuth else SWEET_SPOT_DB,
                    ax=panel,
                )
                panel.set_title(f"{text}: {part}")
                panel.label_outer()
            label = "off its place (°), line at 10°" if is_azimuth else "separation (dB), line at 6 dB"
            figure.colorbar(panel.collections[0], ax=line, label=label, extend="max" if is_azimuth else "both")
        # What is shared must not be turned round twelve times
        panels[0, 0].set_xlim(lateral[-1], lateral[0])
        DOCS.mkdir(parents=True, exist_ok=True)
        figure.savefig(DOCS / f"depth-{name}.svg", dpi=48, metadata={"Date": None})


@threadpool_limits.wrap(limits=1, user_api="blas")
def main():
    tables = [beams_table()]
    for name, title in MAPPED.items():
        if name in SURVEYED:
            found = survey(name)
            tables += [gains_table(title, name, found), distance_table(title, found)]
            tables += [figures_table(title, found, band) for band in BANDS]
        tables.append(separation_table(title, name))
    for name in MAPPED:
        maps = zone_in_room(name, ROOMS["living-room"])
        plot_maps(name, maps)
        if name == "smart-speaker":
            tables += map_tables(name, ROOMS["living-room"], maps)
    write("depth", "Depth in rooms", tables, text=TEXT)


if __name__ == "__main__":
    main()
