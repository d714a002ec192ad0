"""Generated texts are those that the code makes."""

import json

import pytest

import generated
from forestage import PARAMS, factory_presets
from places import ROOT


@pytest.mark.parametrize("name", generated.GENERATED)
def test_file_is_the_one_that_is_made(name):
    assert (ROOT / name).read_text(encoding="utf-8") == generated.made(name), f"{name}: ./run update makes it again"


def test_readme_has_every_row_of_what_it_tabulates():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in [*(row.id for row in PARAMS), *factory_presets()]:
        assert f"| `{name}` |" in text


def test_update_writes_what_differs_and_nothing_else(tmp_path, monkeypatch, capsys):
    for name in generated.GENERATED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    readme = tmp_path / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("| `bypass` | Off, On |", "| `bypass` | Off |"))
    schema = tmp_path / "presets/schema/preset.schema.json"
    schema.unlink()
    monkeypatch.setattr(generated, "ROOT", tmp_path)
    generated.main()
    assert capsys.readouterr().out.splitlines() == ["README.md written", "presets/schema/preset.schema.json written"]
    assert readme.read_text(encoding="utf-8") == (ROOT / "README.md").read_text(encoding="utf-8")
    assert json.loads(schema.read_text())["properties"]
