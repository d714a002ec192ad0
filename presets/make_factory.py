"""Design every factory preset anew: ``.venv/bin/python presets/make_factory.py``, or only the files named after it.

A device has the variants that differ in substance: who sits close to a laptop has no closer seat.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from forestage import design

HERE = Path(__file__).resolve().parent
ALL = ("standard", "wide-zone", "close")
FACTORY = {
    "smart-speaker": ALL,
    "smart-speaker-up": ("standard",),
    "five-driver-speaker": ALL,
    "laptop": ("standard", "wide-zone"),
    "tablet": ("standard", "wide-zone"),
    "tv": ALL,
    "soundbar-3": ALL,
    "soundbar-7": ALL,
    "desktop-10": ("standard", "wide-zone"),
    "desktop-30": ("standard", "wide-zone"),
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
    path = result.save(HERE / "factory" / f"{name}.json", overwrite=True)
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
