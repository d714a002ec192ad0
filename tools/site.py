"""The site of ``./run docs``: README, guides, API, evidence and decisions, to be read without a network.

Pages are written to be read in the repository. Here they are gathered in one folder, with their links carried over to
where things stand on the site, beside one page of API for each module; mkdocs.yml has the rest.
"""

import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

import forestage

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python" / "forestage"
SEARCH_WORKER = ROOT / "tools" / "search_worker.js"
# Where what lies outside docs/ comes to stand on the site
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "license.txt",
    "presets/devices": "devices.md",
    "presets/schema/preset.schema.json": "preset.schema.json",
    "docs/examples": "examples/design_a_device.py",
}
LINK = re.compile(r"\]\(([^)\s#:]+)(#[^)\s]*)?\)")


def modules():
    """Names of all public modules, packages before what they hold."""
    names = []
    for path in PACKAGE.rglob("*.py"):
        parts = ("forestage", *path.relative_to(PACKAGE).with_suffix("").parts)
        names.append(parts[:-1] if parts[-1] == "__init__" else parts)
    return [".".join(parts) for parts in sorted(names) if not any(part.startswith("_") for part in parts)]


def api_nav():
    """The API by packages: what stands at the top of the package first, then a section for each inside of it."""
    top, sections = [], {}
    for name in modules():
        home = name.split(".")[1:2]
        inside = bool(home) and (PACKAGE / home[0]).is_dir()
        title = name if name == "forestage" else ".".join(name.split(".")[2:] or home)
        (sections.setdefault(home[0], []) if inside else top).append({title: f"api/{name}.md"})
    return [*top, *({name: pages} for name, pages in sections.items())]


def devices_page():
    """All device files that come along, as they are."""
    parts = ["# Devices that come along\n"]
    for path in sorted((ROOT / "presets/devices").glob("*.toml")):
        parts.append(f"## {path.stem}\n\n```toml\n{path.read_text(encoding='utf-8')}```\n")
    return "\n".join(parts)


def front_door():
    """The package itself: what it is, and where each of its names is told."""
    links = [f"- [`forestage.{name}`][forestage.{home}.{name}]" for name, home in sorted(forestage._HOMES.items())]
    return "\n".join(["::: forestage", "    options: {members: false}", "", "## Names", "", *links, ""])


def carried_over(text, *, home, place):
    """A page with its links as they are from its place on the site."""

    def moved(match):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(home), match[1]))
        new = PLACES.get(target, target.removeprefix("docs/"))
        return f"]({posixpath.relpath(new, posixpath.dirname(place) or '.')}{match[2] or ''})"

    without_marks = re.sub(r"<!--.*?-->\n", "\n", text)  # a table begins behind an empty line
    return LINK.sub(moved, without_marks)


def gather(folder):
    """Write all sources of the site into a folder of their own."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("__pycache__"))
    homes = {place: home for home, place in PLACES.items() if (ROOT / home).is_file()}
    for place, home in homes.items():
        (folder / place).write_bytes((ROOT / home).read_bytes())
    (folder / "devices.md").write_text(devices_page(), encoding="utf-8")
    for path in folder.rglob("*.md"):
        place = path.relative_to(folder).as_posix()
        text = carried_over(path.read_text(encoding="utf-8"), home=homes.get(place, f"docs/{place}"), place=place)
        path.write_text(text, encoding="utf-8")
    (folder / "api").mkdir()
    for name in modules():
        (folder / "api" / f"{name}.md").write_text(f"::: {name}\n", encoding="utf-8")
    (folder / "api/forestage.md").write_text(front_door(), encoding="utf-8")


def search_from_disk(output):
    """Let search work from a disk: a script of ours lies beside the pages, where theirs would come from the network."""
    shutil.copy(SEARCH_WORKER, output / "assets")
    for path in output.rglob("*.html"):
        here = posixpath.relpath(f"assets/{SEARCH_WORKER.name}", path.parent.relative_to(output).as_posix())
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("https://unpkg.com/iframe-worker/shim", here), encoding="utf-8")


def build(output):
    """Build the site; what is wrong with it, broken links too, is an error."""
    output = Path(output).resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    sources = output.with_name(f"{output.name}-sources")
    gather(sources)
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    config["docs_dir"], config["site_dir"] = sources.name, output.name  # as it stands beside them
    config["plugins"][-1]["mkdocstrings"]["handlers"]["python"]["paths"] = [str(ROOT / "python")]
    config["nav"].insert(2, {"API": api_nav()})
    made = output.with_name(f"{output.name}.yml")
    made.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    words = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(made)]
    subprocess.run(words, check=True, cwd=ROOT)
    search_from_disk(output)


if __name__ == "__main__":
    build(sys.argv[1])
