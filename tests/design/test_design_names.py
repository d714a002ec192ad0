"""Can designs of one device be told apart, and is what they say about themselves true?"""

from dataclasses import replace

import pytest

from forestage.acoustics.device_file import load_device
from forestage.acoustics.driver import Driver
from forestage.acoustics.head import Head
from forestage.acoustics.seat import Listener
from forestage.design.beam import BeamTarget
from forestage.design.cancel import CancelTarget
from forestage.design.result import Design
from forestage.design.variants import VARIANTS
from forestage.design.virtual_pair import VirtualPair
from forestage.report.page import report_html
from make_preset import make_preset
from places import DEVICES

LAPTOP = load_device(DEVICES / "laptop.toml")


def design(device=LAPTOP, variant="standard", target=CancelTarget(), pair=VirtualPair()):  # noqa: B008
    """What of a design has a name and a text."""
    device, target, beam = VARIANTS[variant].of(device, target, BeamTarget())
    return Design(device, variant, target, beam, pair, None, None, None, (), None)


def test_designs_of_one_device_have_names_of_their_own():
    designs = [
        design(),
        design(variant="close"),
        design(variant="wide-zone"),
        design(pair=VirtualPair(width_deg=45.0)),
        design(pair=VirtualPair(head=Head())),
        design(target=CancelTarget(method="kirkeby")),
        design(target=CancelTarget(drive_cap_db=6.0)),
        design(target=CancelTarget(separation_db=((100.0, 0.0), (1000.0, 12.0)))),
    ]
    names = [each.name for each in designs]
    assert len(set(names)) == len(names)
    assert names[:4] == ["Laptop", "Laptop Close", "Laptop Wide Zone", "Laptop 45°"]


@pytest.mark.parametrize(("variant", "distance_m"), [("standard", 1.3), ("close", 0.65), ("wide-zone", 1.3)])
def test_text_is_true_for_the_seat(variant, distance_m):
    text = design(replace(LAPTOP, listener=Listener(1.3)), variant).text
    assert text.startswith(LAPTOP.text)
    assert text.endswith(f"at {distance_m:g} m.")
    assert text.count(" m.") == 1


def test_headphones_have_no_seat():
    capsules = (Driver("l", "left", ear="left"), Driver("r", "right", ear="right"))
    assert design(replace(LAPTOP, drivers=capsules, text="Capsules.")).text == "Capsules."


def test_report_tells_presets_of_one_name_apart():
    preset = make_preset()
    assert f"<h1>{preset['name']} (A) against {preset['name']} (B)</h1>" in report_html([preset, preset])
