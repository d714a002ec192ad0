"""Are device files and presets read as Windows editors and shells write them, with marks and in UTF-16?"""

import codecs
import importlib
import json

import pytest

from forestage import _core, load_device, load_preset
from forestage.catalogue import factory_presets
from forestage.cli import cli
from forestage.files import read_text
from make_preset import make_preset
from places import DEVICES

ENCODINGS = {
    "utf-8": b"",
    "utf-8 with a mark": codecs.BOM_UTF8,
    "utf-16-le": b"",
    "utf-16-be": b"",
    "utf-16-le with a mark": codecs.BOM_UTF16_LE,
    "utf-16-be with a mark": codecs.BOM_UTF16_BE,
}
NAME = "Größe 𝄞 – 音"  # one to four bytes a character; a pair of surrogates


def encoded(text: str, name: str) -> bytes:
    return ENCODINGS[name] + text.encode(name.split()[0])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_device_file_in_any_encoding_is_the_same_device(encoding, tmp_path):
    text = (DEVICES / "laptop.toml").read_text(encoding="utf-8").replace('name = "Laptop"', f'name = "{NAME}"')
    path = tmp_path / "device.toml"
    path.write_bytes(encoded(text.replace("\n", "\r\n"), encoding))
    device = load_device(path)
    assert device.name == NAME
    assert device.drivers == load_device(DEVICES / "laptop.toml").drivers


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_preset_in_any_encoding_is_the_same_preset(encoding, tmp_path):
    text = json.dumps(make_preset() | {"name": NAME}, ensure_ascii=False)
    path = tmp_path / "preset.json"
    path.write_bytes(encoded(text, encoding))
    assert load_preset(path).name == NAME
    assert load_preset(path).to_json() == _core.parse_preset(text).to_json()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_plugin_state_in_any_encoding_is_the_same_state(encoding):
    preset = _core.parse_preset(json.dumps(make_preset()))
    text = _core.write_state(preset, None, {})
    assert _core.parse_state(encoded(text, encoding))["a"].to_json() == preset.to_json()


def test_room_is_given_to_a_preset_with_a_mark(tmp_path, monkeypatch):
    """`forestage ears` keeps all that the file has, so it reads the text itself."""
    forms = []

    def stop_at(form, *_, **__):
        forms.append(form)
        raise ValueError("stop")

    monkeypatch.setattr(importlib.import_module("forestage.design.room_preset"), "room_preset", stop_at)
    good = factory_presets()["laptop"]
    path = tmp_path / "laptop.json"
    path.write_bytes(codecs.BOM_UTF8 + good.read_bytes())
    with pytest.raises(ValueError, match="stop"):
        cli.main(["ears", str(path), "-o", str(tmp_path / "out.json")], standalone_mode=False)
    assert forms == [json.loads(good.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'name = "Gr\xf6\xdfe"', "byte 10 is no text in utf-8; UTF-8 or UTF-16 would be right"),
        (codecs.BOM_UTF16_LE + b"n\0a", "byte 4 is no text in utf-16-le"),
        (codecs.BOM_UTF16_BE + b"\0n\xd8\0\0a", "byte 4 is no text in utf-16-be"),
    ],
)
def test_text_in_no_encoding_is_refused_with_the_byte(data, message, tmp_path):
    path = tmp_path / "device.toml"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_text(path)
    with pytest.raises(ValueError, match=f"^{path}: {message}"):
        load_device(path)


@pytest.mark.parametrize("data", [b'{\0"\0n\0', '{"\ud834": 1}'.encode("utf-16-le", "surrogatepass")])
def test_broken_utf_16_is_no_preset(data):
    with pytest.raises(ValueError, match="not JSON"):
        _core.parse_preset(codecs.BOM_UTF16_LE + data)


def test_text_that_is_far_too_long_is_refused(tmp_path):
    path = tmp_path / "device.toml"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ValueError, match="more than 67108864 bytes"):
        load_device(path)
