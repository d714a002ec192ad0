"""A device from above, to scale: its drivers, the seat, the virtual pair and the zone in which the ears stay apart.

An SVG that takes its colours from the page around it, and has colours of its own where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from contourpy import FillType, contour_generator
from numpy.typing import NDArray

from forestage.constants import HEAD_RADIUS_M
from forestage.short_repr import ShortRepr

Point = tuple[float, float]  # metres: towards the listener, to the listener's left

FARTHEST_M = 100.0
WIDTH, LEFT_EDGE, RIGHT_EDGE = 440.0, 52.0, 430.0  # of the picture and of its plot, in its own units
TALLEST = 400.0
DEVICE_HEIGHT = 150.0
STEPS_M = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
MOST_TICKS = 7
INK, SOFT, LINE, CARD = (
    f"var(--{name}, {colour})"
    for name, colour in (("ink", "#1b1e23"), ("soft", "#5a6270"), ("line", "#d5d9e0"), ("card", "#ffffff"))
)
BLUE, ORANGE, GREEN = (
    f"var(--{name}, {colour})" for name, colour in (("blue", "#0072b2"), ("orange", "#d55e00"), ("green", "#008060"))
)


@dataclass(frozen=True, repr=False)
class Scene(ShortRepr):
    """What is seen from above.

    Attributes
    ----------
    name : str
        Of the device.
    drivers : dict of Point
        Places by name.
    seat : Point
        Middle of the head.
    body_radius_m : float
        Of a round body around the origin; 0 for none.
    pair : tuple of Point
        Left and right virtual loudspeaker; empty for none.
    pair_deg : float
        Half angle of the pair at the seat.
    zone : sequence of array, shape (n, 2)
        Rings around where the ears stay apart by `zone_db`, and around holes in it.
    zone_width_m : float or None
        Of the zone, across the seat.
    """

    name: str
    drivers: Mapping[str, Point]
    seat: Point
    body_radius_m: float = 0.0
    pair: Sequence[Point] = ()
    pair_deg: float = 0.0
    zone: Sequence[NDArray[np.float64]] = field(default=())
    zone_width_m: float | None = None
    zone_db: float = 6.0

    @property
    def text(self) -> str:
        """The picture in words."""
        places = "; ".join(f"{name} {_place(point)}" for name, point in self.drivers.items())
        parts = [
            f"{len(self.drivers)} drivers, from the middle of the device: {places}.",
            f"The listener sits {_place(self.seat)}.",
        ]
        if self.pair:
            distance_m = float(np.hypot(*np.subtract(self.pair[0], self.seat)))
            parts.append(f"The virtual pair stands {distance_m:g} m from the listener at ±{self.pair_deg:g}°.")
        if self.zone_width_m is not None:
            parts.append(f"The zone with {self.zone_db:g} dB of separation is {100 * self.zone_width_m:.0f} cm wide.")
        return " ".join(parts)


def _place(point: Point) -> str:
    """A place in words.

    Examples
    --------
    >>> _place((0.0, 0.09)), _place((2.0, 0.0)), _place((0.0, 0.0))
    ('9 cm left', '200 cm in front', 'in the middle')
    """
    words = (("in front", "behind"), ("left", "right"))
    parts = [
        f"{abs(100 * metres):.3g} cm {word[metres < 0]}"
        for metres, word in zip(point, words, strict=True)
        if abs(metres) >= 0.001
    ]
    return " and ".join(parts) or "in the middle"


def scene_of(preset: Mapping[str, Any]) -> Scene | None:
    """What a preset, in its JSON form, says about where things are; None where it does not, and for headphones."""
    design = preset.get("design", {})
    try:
        device = design["device"]
        drivers = {each["name"]: _driver_place(each, device.get("body")) for each in device["driver"]}
        seat = (float(device["listener"]["distance_m"]), 0.0)
        body_radius_m = float(device.get("body", {}).get("radius_m", 0.0))
        if any("ear" in each for each in device["driver"]):
            return None
        if not all(abs(metres) <= FARTHEST_M for place in (seat, *drivers.values()) for metres in place):
            return None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    stereo, metrics = design.get("stereo"), design.get("metrics", {})
    zone_db = float(metrics.get("conditions", {}).get("sweet_spot_db", Scene.zone_db))
    pair: Sequence[Point] = ()
    if stereo:
        pair = _pair(seat, float(stereo["width_deg"]), float(stereo["distance_m"]))
    found = next((each for each in preset.get("maps", []) if each["name"] == "separation_processed"), None)
    return Scene(
        str(preset.get("name", device.get("name", ""))),
        drivers,
        seat,
        body_radius_m,
        pair,
        float(stereo["width_deg"]) if stereo else 0.0,
        _zone(found, zone_db) if found else (),
        metrics.get("zone", {}).get("sweet_spot_m", {}).get("processed"),
        zone_db,
    )


def _driver_place(driver: Mapping[str, Any], body: Mapping[str, Any] | None) -> Point:
    if "position_m" in driver:
        x, y, _ = driver["position_m"]
        return float(x), float(y)
    azimuth, elevation = (np.deg2rad(float(driver.get(key, 0.0))) for key in ("azimuth_deg", "elevation_deg"))
    radius_m = float(body["radius_m"]) if body else 0.0
    return float(radius_m * np.cos(elevation) * np.cos(azimuth)), float(radius_m * np.cos(elevation) * np.sin(azimuth))


def _pair(seat: Point, width_deg: float, distance_m: float) -> tuple[Point, Point]:
    forward, across = distance_m * np.cos(np.deg2rad(width_deg)), distance_m * np.sin(np.deg2rad(width_deg))
    x = float(seat[0] - forward)
    return (x, float(seat[1] + across)), (x, float(seat[1] - across))


def _zone(found: Mapping[str, Any], level_db: float) -> list[NDArray[np.float64]]:
    lateral_m, distance_m = np.asarray(found["lateral_m"]), np.asarray(found["distance_m"])
    if min(len(lateral_m), len(distance_m)) < 2:
        return []
    values = np.reshape(found["values"], (len(distance_m), len(lateral_m)))
    contours = contour_generator(lateral_m, distance_m, values, fill_type=FillType.OuterOffset)
    filled: Any = contours.filled(level_db, np.inf)
    rings = [ring for area, offsets in zip(*filled, strict=True) for ring in np.split(area, offsets[1:-1])]
    return [np.asarray(ring, dtype=np.float64)[:, ::-1] for ring in rings]


def top_view(scene: Scene) -> str:
    """Draw a scene: to scale with axes in metres, the device once more, enlarged, with its drivers' names.

    Parameters
    ----------
    scene : Scene
        See `scene_of`.

    Returns
    -------
    str
        An SVG element with a title and a description.
    """
    around = [scene.seat, *scene.pair, *scene.drivers.values(), *(p for zone in scene.zone for p in zone.tolist())]
    far = max(abs(y) for _, y in around) + 0.15
    back = min(x for x, _ in around) - max(0.15, scene.body_radius_m)
    front = max(x for x, _ in around) + 0.15
    scale = min((RIGHT_EDGE - LEFT_EDGE) / (2 * far), TALLEST / (front - back))
    plot = _Plot(scale, top=30.0, back=back, bottom=30.0 + scale * (front - back))
    legend_top = plot.bottom + 50.0
    parts = [*plot.axes(), *_seen(scene, plot), *_legend(scene, legend_top)]
    device_top = legend_top + 46.0
    parts += _device(scene, device_top)
    names = _lines([f"{index} {name}" for index, name in enumerate(scene.drivers, 1)])
    below = device_top + DEVICE_HEIGHT + 22.0
    parts += [_text(LEFT_EDGE, below + 17 * index, line) for index, line in enumerate(names)]
    height = below + 17 * len(names)
    title, text = escape(f"{scene.name} from above"), escape(scene.text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:.0f}" role="img" '
        f'aria-label="{title}. {text}" font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="13">'
        f"<title>{title}</title><desc>{text}</desc>"
        f'<rect width="100%" height="100%" rx="6" fill="{CARD}"/>{"".join(parts)}</svg>\n'
    )


@dataclass(frozen=True)
class _Plot:
    """Metres to places in the picture: the device is above, the listener below, their left is on the left."""

    scale: float
    top: float
    back: float
    bottom: float
    middle: float = (LEFT_EDGE + RIGHT_EDGE) / 2

    def at(self, point: Sequence[float]) -> Point:
        return self.middle - self.scale * point[1], self.top + self.scale * (point[0] - self.back)

    def axes(self) -> Iterator[str]:
        side = (RIGHT_EDGE - LEFT_EDGE) / 2 / self.scale
        front = self.back + (self.bottom - self.top) / self.scale
        step = next(s for s in STEPS_M if max(2 * side, front - self.back) / s <= MOST_TICKS or s == STEPS_M[-1])
        for y in _ticks(-side, side, step):
            x = self.at((0.0, y))[0]
            yield _line((x, self.top), (x, self.bottom), LINE)
            yield _text(x, self.bottom + 16, _number(y), "middle", SOFT)
        for x in _ticks(self.back, front, step):
            height = self.at((x, 0.0))[1]
            yield _line((LEFT_EDGE, height), (RIGHT_EDGE, height), LINE)
            yield _text(LEFT_EDGE - 6, height + 4, _number(x), "end", SOFT)
        yield _text(self.middle, self.bottom + 33, "to the listener's left (m)", "middle", SOFT)
        yield _text(8, self.top - 12, "from the device, towards the listener (m)", "start", SOFT)


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [step * index for index in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _seen(scene: Scene, plot: _Plot) -> Iterator[str]:
    if scene.zone:
        rings = " ".join(f"M{_points([plot.at(point) for point in ring])}Z" for ring in scene.zone)
        yield f'<path d="{rings}" fill-rule="evenodd" fill="{GREEN}" fill-opacity="0.25" stroke="{GREEN}"/>'
    if scene.zone_width_m:
        left, right = (plot.at((scene.seat[0], scene.seat[1] + side * scene.zone_width_m / 2)) for side in (1, -1))
        yield _line(left, right, GREEN, width=5)
    for speaker in scene.pair:
        x, y = plot.at(speaker)
        yield _line(plot.at(scene.seat), (x, y), ORANGE, dashes="6 4")
        yield _square((x, y), 18.0)
    if scene.body_radius_m:
        yield _circle(plot.at((0.0, 0.0)), plot.scale * scene.body_radius_m, CARD, INK)
    for driver in scene.drivers.values():
        yield _circle(plot.at(driver), 3.5, BLUE, BLUE)
    radius = plot.scale * HEAD_RADIUS_M
    x, y = plot.at(scene.seat)
    nose = [(x - radius / 3, y - 0.9 * radius), (x, y - 1.4 * radius), (x + radius / 3, y - 0.9 * radius)]
    yield f'<polygon points="{_points(nose)}" fill="{INK}"/>' + _circle((x, y), radius, CARD, INK)


def _legend(scene: Scene, top: float) -> Iterator[str]:
    entries = [(_circle((0.0, 0.0), 4, BLUE, BLUE), "driver"), (_circle((0.0, 0.0), 6, CARD, INK), "seat")]
    if scene.pair:
        entries.append((_square((0.0, 0.0), 12.0), f"virtual pair, ±{scene.pair_deg:g}°"))
    if scene.zone or scene.zone_width_m:
        patch = f'<rect x="-7" y="-6" width="14" height="12" fill="{GREEN}" fill-opacity="0.25" stroke="{GREEN}"/>'
        across = f", {100 * scene.zone_width_m:.0f} cm at the seat" if scene.zone_width_m else ""
        entries.append((patch, f"zone of {scene.zone_db:g} dB separation{across}"))
    x = LEFT_EDGE + 8
    for index, (mark, label) in enumerate(entries):
        row = int(index >= 3)
        x = LEFT_EDGE + 8 if index == 3 else x
        yield f'<g transform="translate({x:.0f} {top + 20 * row:.0f})">{mark}</g>' + _text(
            x + 14, top + 20 * row + 4.5, label
        )
        x += 14 + 7.2 * len(label) + 22


def _device(scene: Scene, top: float) -> Iterator[str]:
    """The device enlarged, its drivers numbered; those that are drawn at one place share their label."""
    reach = scene.body_radius_m
    points = np.array([*scene.drivers.values(), (reach, reach), (-reach, -reach)])
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    extent = np.maximum(np.ptp(points, axis=0), 0.02)
    width, height = RIGHT_EDGE - LEFT_EDGE - 60.0, DEVICE_HEIGHT - 74.0
    scale = float(min(height / extent[0], width / extent[1]))
    centre = ((LEFT_EDGE + RIGHT_EDGE) / 2, top + DEVICE_HEIGHT / 2 - 2)

    def at(point: Sequence[float]) -> Point:
        return centre[0] - scale * (point[1] - middle[1]), centre[1] + scale * (point[0] - middle[0])

    yield (
        f'<rect x="{LEFT_EDGE:g}" y="{top:.1f}" width="{RIGHT_EDGE - LEFT_EDGE:g}" height="{DEVICE_HEIGHT:g}" rx="6" '
        f'fill="none" stroke="{LINE}"/>'
    )
    if scene.body_radius_m:
        yield _circle(at((0.0, 0.0)), scale * scene.body_radius_m, "none", INK)
    labels: dict[Point, list[str]] = {}
    for number, driver in enumerate(scene.drivers.values(), 1):
        place = at(driver)
        near = next((other for other in labels if np.hypot(*np.subtract(other, place)) < 18.0), place)
        labels.setdefault(near, []).append(str(number))
    for place, numbers in labels.items():
        label = ",".join(numbers)
        yield _circle(place, 10.0 + 3.0 * (len(label) - 1), BLUE, CARD)
        yield _text(place[0], place[1] + 4.5, label, "middle", CARD)
    bar_m = max((s * f for f in (0.01, 0.1, 1.0) for s in (1.0, 2.0, 5.0) if s * f * scale <= 110.0), default=0.01)
    x, y = RIGHT_EDGE - 10, top + DEVICE_HEIGHT - 8
    yield _line((x - bar_m * scale, y), (x, y), SOFT, width=2)
    yield _text(x, y - 5, f"{100 * bar_m:g} cm", "end", SOFT)
    yield _text(LEFT_EDGE + 8, top + 16, "the device, enlarged", "start", SOFT)


def _lines(words: Sequence[str], longest: int = 52) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 3 <= longest:
            lines[-1] += f" · {word}"
        else:
            lines.append(word)
    return lines


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:g}".replace("-", "−")


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _line(start: Point, end: Point, colour: str, *, width: float = 1.0, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" '
        f'stroke="{colour}" stroke-width="{width:g}"{dashed}/>'
    )


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _square(centre: Point, side: float) -> str:
    return (
        f'<rect x="{centre[0] - side / 2:.1f}" y="{centre[1] - side / 2:.1f}" width="{side:g}" height="{side:g}" '
        f'fill="{CARD}" stroke="{ORANGE}" stroke-width="2.5"/>'
    )


def _circle(centre: Point, radius: float, fill: str, stroke: str) -> str:
    return (
        f'<circle cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="{radius:.1f}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.5"/>'
    )
