"""Texts in the repository that are made from code or presets; ``./run update`` writes them anew, tests compare them.

Each is a function of its file's text so far: a page keeps all but what stands between its marks.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np

from forestage import PARAMS, _core, factory_presets, load_preset
from forestage.params import text_value
from forestage.plots import scene_of, top_view

ROOT = Path(__file__).resolve().parents[1]
PICTURE = "docs/images/smart-speaker-from-above.svg"


def parameter_table():
    lines = ["| id | values | default | what it does |", "|---|---|---|---|"]
    for row in PARAMS:
        if row.choices:
            values = ", ".join(row.choices)
        elif row.kind == "toggle":
            values = "Off, On"
        else:
            values = f"{row.min_value:g} to {row.max_value:g} {row.unit}".rstrip()
        lines.append(f"| `{row.id}` | {values} | {text_value(row.id, row.default_value)} | {row.text} |")
    return "\n".join(lines) + "\n"


def degrees(angles):
    return ", ".join(f"{round(angle)}°" for angle in angles)


def both_versions(figures, **forms):
    """Figures of the design, and in brackets those of plain stereo, each in its form."""
    processed, plain = (
        ", ".join(form.format(figures[name][version]) for name, form in forms.items())
        for version in ("processed", "plain")
    )
    return f"{processed} ({plain})"


def figures_table():
    lines = [
        "| preset | left, centre and right are heard at, by time (unaided) | left and right by level "
        "| panning error, by time and level (unaided) | balance: loudness, third octaves (unaided) "
        "| separation of the ears, 0.2-6.4 kHz | sweet spot of 6 dB | most drive: cancellation, with the pair "
        "| level on drivers: loud music turned down, limited by, from plain stereo by | zone "
        "| in the room: direct over reverberant sound lost below and above 800 Hz, separation for 5 ms above, "
        "heard at by time and by level |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, path in factory_presets().items():
        figures = json.loads(path.read_text())["design"]["metrics"]
        heard = [figures["width"][f"{sound}azimuth_by_time_deg"] for sound in ("", "center_", "right_")]
        time = degrees(azimuth["processed"] for azimuth in heard)
        plain = f" ({degrees(azimuth['plain'] for azimuth in heard)})" if "zone" in figures else ""
        separation, spot, panning, balance = "–", "–", "–", "–"
        if "zone" in figures:
            versions = figures["width"]["separation_db"]
            mean = {version: sum(values) / len(values) for version, values in versions.items()}
            separation = f"{mean['processed']:.1f} dB ({mean['plain']:.1f} dB)"
            panning = both_versions(figures["panning"], error_by_time_deg="{:.0f}°", error_by_level_deg="{:.0f}°")
            balance = both_versions(figures["balance"], loudness_lu="{:.1f} LU", third_octave_db="{:.1f} dB")
            spot = f"{100 * figures['zone']['sweet_spot_m']['processed']:.0f} cm"
        level = degrees(figures["width"][f"{side}azimuth_by_level_deg"]["processed"] for side in ("", "right_"))
        most_db = figures["effort"]["most_drive_db"]
        drive = ", ".join(f"{most_db[filters]:.1f} dB" for filters in ("cancelled", "staged"))
        zone = figures.get("zone", {}).get("area_cm2", {}).get("processed")
        area = "–" if zone is None else f"{zone:.0f} cm²"
        room = in_the_room(figures)
        heard_at = f"{time}{plain} | {level} | {panning} | {balance}"
        lines.append(
            f"| `{name}` | {heard_at} | {separation} | {spot} | {drive} | {on_drivers(figures)} | {area} | {room} |"
        )
    return "\n".join(lines) + "\n"


def on_drivers(figures):
    """What loud programme makes of the level on real drivers."""
    if "level" not in figures:
        return "–"
    down_db, limited_db, apart_lu = (
        figures["level"][key]["processed"] for key in ("headroom_db", "limited_db", "match_lu")
    )
    return f"{-down_db:.1f} dB, {limited_db:.1f} dB, {apart_lu:.1f} LU"


def in_the_room(figures):
    """What is left of a hard-panned sound in the living room; the separation is that of the cancellation."""
    if "room" not in figures:
        return "–"
    room = figures["room"]
    direct = room["direct_over_reverberant_db"]
    loss = [plain - own for plain, own in zip(direct["plain"], direct["processed"], strict=True)]
    apart = min(room["early_separation_db"]["processed"][2:])
    azimuth = [room[f"azimuth_by_{cue}_deg"]["processed"] for cue in ("time", "level")]
    return f"{max(loss[:2]):.0f} dB, {max(loss[2:]):.0f} dB; {apart:.0f} dB; {degrees(azimuth)}"


def seen():
    """What the picture from above shows."""
    return scene_of(json.loads(factory_presets()["smart-speaker"].read_text()))


def between_marks(text, name, made, *, begin="<!-- ", end=" -->"):
    """The page with what stands between the marks of this name replaced."""
    begin, end = re.escape(begin), re.escape(end)
    marked = re.compile(rf"({begin}{name}: [^\n]*?{end}\n)(.*?)({begin}end of {name}{end})", re.DOTALL)
    return marked.sub(lambda match: match[1] + made + match[3], text)


# Types of filters of which no factory preset has any, where they are more than a list
EMPTY = {"bass": "list[list[_Audio]]"}


def stub_type(value):
    """Type of what the core holds, as the stubs write it."""
    if isinstance(value, np.ndarray):
        return "_Audio"
    if isinstance(value, tuple):
        return f"tuple[{', '.join(map(stub_type, value))}]"
    if isinstance(value, list):
        return f"list[{stub_type(value[0])}]" if value else "list[_Audio]"  # optional filters, of which there are none
    return type(value).__name__


def stubs(text):
    filters = load_preset("smart-speaker").filters(48_000)
    rows = [name for name, row in vars(_core.FilterSet).items() if isinstance(row, property)]
    lines = ["class FilterSet(metaclass=_Bound):"]
    for name in rows:
        kind = EMPTY.get(name) or stub_type(getattr(filters, name))
        lines += ["    @property", f"    def {name}(self) -> {kind}: ..."]
    return between_marks(text, "filters", "\n".join(lines) + "\n\n", begin="# ", end="")


def readme(text):
    text = between_marks(text, "parameters", parameter_table())
    text = between_marks(text, "figures", figures_table())
    return between_marks(text, "picture", f"![Seen from above: {seen().text}]({PICTURE})\n")


GENERATED = {
    "README.md": readme,
    PICTURE: lambda _: top_view(seen()),
    "python/forestage/_core.pyi": stubs,
    "presets/schema/preset.schema.json": lambda _: _core.preset_schema(),
}


def made(name):
    """A generated file as it should be."""
    path = ROOT / name
    return GENERATED[name](path.read_text(encoding="utf-8") if path.exists() else "")


def main():
    """Write what differs, and say so."""
    for name in GENERATED:
        text = made(name)
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name} written\n")


if __name__ == "__main__":
    main()
