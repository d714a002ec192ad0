"""Design every factory preset anew: ``.venv/bin/python presets/make_factory.py``, or only the files named after it.

Each but the headphones gets the living room, heard from the seat it was designed for.

A device has the variants that differ in substance: who sits close to a laptop has no closer seat, and a wide zone is
worth a preset where it widens the sweet spot by a tenth. With two or three drivers it does not. Where a room takes most
of the width, on the round speaker, the free field has a preset of its own.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from forestage import design
from forestage.design.room_preset import room_preset
from forestage.presets import save_preset

HERE = Path(__file__).resolve().parent
FACTORY = {
    "smart-speaker": ("standard", "close", "free-field"),
    "smart-speaker-up": ("standard",),
    "five-driver-speaker": ("standard", "wide-zone", "close"),
    "laptop": ("standard",),
    "tablet": ("standard",),
    "tv": ("standard", "close"),
    "soundbar-3": ("standard", "close"),
    "soundbar-7": ("standard", "wide-zone", "close"),
    "desktop-10": ("standard",),
    "desktop-30": ("standard",),
    "asymmetric-pair": ("standard",),
    "headphones": ("standard",),
}


def file_names():
    """Name of every factory preset, with its device and its variant."""
    return {
        device if variant == "standard" else f"{device}-{variant}": (device, variant)
        for device, variants in FACTORY.items()
        for variant in variants
    }


def make(name):
    """Design one preset and write it."""
    device, variant = file_names()[name]
    result = design(HERE / "devices" / f"{device}.toml", variant=variant)
    preset = result.preset()
    if not result.device.is_headphones:
        preset = room_preset(preset, "living-room", folder=HERE / "devices")
    path = save_preset(preset, HERE / "factory" / f"{name}.json", overwrite=True)
    falls = [f"    {fall}" for fall in result.shortfall()]
    return "\n".join([f"{path.name}: {path.stat().st_size // 1024} KiB", *falls])


def main(names):
    """Design the presets named, or all."""
    with ProcessPoolExecutor() as pool:
        for line in pool.map(make, names or file_names()):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
