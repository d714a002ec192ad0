"""The site is whole: every page, every module and function, no broken link, and nothing from the network."""

import json
import re
import subprocess
import sys

import pytest

import forestage
from browser import evaluate, needs_browser
from places import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Links and anchors that lead nowhere end the build."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    words = [sys.executable, ROOT / "tools/site.py", folder]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_every_page_of_docs_is_there(site):
    for path in (ROOT / "docs").rglob("*.md"):
        assert (site / path.relative_to(ROOT / "docs").with_suffix(".html")).is_file(), path


def test_links_lead_to_files_of_the_site(site):
    pages = [*site.glob("*.html"), *site.glob("evidence/*.html")]
    for page in pages:
        for link in re.findall(r'(?:href|src)="?([^"#?\s>]+)', page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", link) and page.name != "404.html":
                assert (page.parent / link).exists(), f"{page}: {link}"


def test_nothing_is_loaded_from_the_network(site):
    loaded = re.compile(r'<(?:script|img|iframe)[^>]*\ssrc="?(?:https?:)?//|<link[^>]*rel="?stylesheet[^>]*https?://')
    for page in site.rglob("*.html"):
        assert not loaded.search(page.read_text(encoding="utf-8")), page


def test_api_has_every_public_name_with_its_signature_and_units(site):
    front = (site / "api/forestage.html").read_text(encoding="utf-8")
    for name in set(forestage.__all__) - {"__version__", "PARAMS", "HeadphoneEq", "PresetError"}:
        page, anchor = re.search(rf'href="([^"#]+)#([\w.]+)"[^>]*><code>forestage\.{name}</code>', front).groups()
        told = (site / "api" / page).read_text(encoding="utf-8")
        assert f'id="{anchor}"' in told, name
        assert anchor.endswith(f".{name}")
    render = (site / "api/forestage.render.html").read_text(encoding="utf-8")
    assert "sample_rate" in render
    assert re.search(r"shape ?\(2, frames\)", re.sub("<[^>]+>", "", render))


def test_pages_of_the_repository_keep_their_tables_and_pictures(site):
    index = (site / "index.html").read_text(encoding="utf-8")
    assert "<td><code>stage_width_deg</code></td>" in index
    assert 'src="images/smart-speaker-from-above.svg"' in index


def test_search_knows_the_functions(site):
    found = json.loads((site / "search.json").read_text(encoding="utf-8"))
    assert "forestage.acoustics.plant" in json.dumps(found)


@needs_browser
@pytest.mark.parametrize("page", ["index.html", "api/forestage.render.html"])
def test_search_finds_from_a_disk(site, page, tmp_path):
    script = """
    document.querySelector(".md-search__button").click();
    const {shadowRoot} = [...document.querySelectorAll("*")].find(each => each.shadowRoot);
    const all = selector => [...shadowRoot.querySelectorAll(selector)];
    for (let tries = 0; tries < 100; ++tries) {
      const [input] = all("input");
      if (input && !input.value) {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, "room_preset");
        input.dispatchEvent(new Event("input", {bubbles: true}));
      }
      if (all("a[href]").length) break;
      await new Promise(done => setTimeout(done, 100));
    }
    return all("a[href]").map(link => link.href);"""
    found = evaluate(site / page, script, folder=tmp_path)
    assert any("/api/forestage.design.room_preset.html" in link for link in found), found
