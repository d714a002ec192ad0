"""What we ship shares no state with the rest of its process: Python module, VST3, LV2 and standalone."""

import ctypes.util
import importlib.metadata
import re
import subprocess
import sys
import zlib

import pytest

from forestage import _core
from forestage.host import plugin_path
from kinds import first_fast
from places import ROOT

BINARIES = {
    "module": lambda: _core.__file__,
    "vst3": lambda: next(plugin_path("vst3").glob("Contents/*/Forestage.so")),
    "vst3-drivers": lambda: next(plugin_path("vst3-drivers").glob("Contents/*/Forestage Drivers.so")),
    "lv2": lambda: plugin_path("lv2") / "libForestage.so",
    "standalone": lambda: plugin_path("standalone"),
}
ENTRY_POINTS = {
    "module": {"PyInit__core"},
    "vst3": {
        *("GetPluginFactory", "forestage_variants", "ModuleEntry", "ModuleExit"),
        *("lv2_descriptor", "lv2ui_descriptor", "forestage_standalone"),
    },
    "vst3-drivers": {"GetPluginFactory", "ModuleEntry", "ModuleExit"},
    "lv2": {"lv2_descriptor", "lv2ui_descriptor"},
    "standalone": set(),
}
ANY_LINUX = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

# Plays, lets somebody else do something to the FFTW of the process, plays on and makes new plans; prints a digest.
PLAY = """
import ctypes, hashlib, sys
{before}
import numpy as np, forestage
x = (0.1 * np.random.default_rng(0).standard_normal((2, 9600))).astype(np.float32)
renderer = forestage.Renderer("smart-speaker")
heard = [renderer.process(x)]
{between}
renderer.load("laptop")
heard += [renderer.process(x), renderer.process(x)]
del renderer
heard.append(forestage.Renderer("laptop").process(x))
print(hashlib.sha256(b"".join(y.tobytes() for y in heard)).hexdigest())
"""
OTHERS = {
    "cleanup": ("", "ctypes.CDLL('{single}').fftwf_cleanup()"),
    "cleanup of threads": ("", "ctypes.CDLL('{threads}').fftwf_cleanup_threads()"),
    "forgotten wisdom": ("", "ctypes.CDLL('{single}').fftwf_forget_wisdom()"),
    "loaded first, for all": ("other = ctypes.CDLL('{single}', ctypes.RTLD_GLOBAL)", "other.fftwf_cleanup()"),
}


def tool(*args) -> str:
    return subprocess.run([str(arg) for arg in args], check=True, capture_output=True, text=True).stdout


def played(before: str = "", between: str = "") -> str:
    result = subprocess.run(
        [sys.executable, "-c", PLAY.format(before=before, between=between)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("binary", BINARIES)
def test_binary_shows_its_entry_points_and_nothing_else(binary):
    shown = tool("nm", "--dynamic", "--defined-only", "--format=just-symbols", BINARIES[binary]())
    assert set(shown.split()) == ENTRY_POINTS[binary]


@pytest.mark.parametrize("binary", BINARIES)
def test_binary_asks_nobody_for_fftw(binary):
    assert "fftw" not in tool("nm", "--dynamic", "--undefined-only", BINARIES[binary]())


@pytest.mark.parametrize("binary", BINARIES)
def test_binary_needs_the_c_library_only(binary):
    lines = tool("readelf", "--dynamic", "--wide", BINARIES[binary]()).splitlines()
    assert {line.split("[")[1].rstrip("]") for line in lines if "(NEEDED)" in line} <= ANY_LINUX


@pytest.mark.parametrize("binary", BINARIES)
def test_binary_needs_no_glibc_after_2_34(binary):
    versions = tool("objdump", "--dynamic-syms", BINARIES[binary]()).split("GLIBC_2.")[1:]
    assert max(int(text.split(")")[0].split(".")[0]) for text in versions) <= 34


def installed():
    return [path for path in importlib.metadata.files("forestage") if path.suffix != ".pyc"]


@pytest.mark.slow
def test_wheel_is_smaller_than_15_mb():
    compressed = sum(len(zlib.compress(path.read_binary(), 6)) for path in installed())
    assert compressed < 15e6, f"{compressed / 1e6:.1f} MB"


def test_licence_of_every_library_in_the_binaries_comes_along():
    texts = {path.stem for path in installed() if "/licenses/licenses/" in str(path)}
    compiled_in = {"juce", "libstdc++", "nlohmann-json", "pybind11"}
    licence_of = {"png16": "libpng", "jpeg": "libjpeg-turbo", "z": "zlib", "brotlidec": "brotli", "FLAC": "flac"}
    lists = re.findall(r"link_archives\(\w+ ([^)]+)\)", (ROOT / "plugin/CMakeLists.txt").read_text())
    archives = {name for names in lists for name in names.split()} - {"brotlicommon"}
    archives |= set(re.findall(r"lib(fftw3|z|FLAC|ogg)f?\.a", (ROOT / "cpp/CMakeLists.txt").read_text()))
    assert {"freetype", "fftw3", "z", "FLAC", "ogg"} <= archives
    needed = compiled_in | {licence_of.get(name, name.rstrip("3")) for name in archives}
    assert needed <= texts


@pytest.fixture(scope="module")
def undisturbed() -> str:
    return played()


@pytest.mark.parametrize("what", first_fast(OTHERS))
def test_others_do_what_they_like_to_their_fftw(what, undisturbed):
    names = {"single": ctypes.util.find_library("fftw3f"), "threads": ctypes.util.find_library("fftw3f_threads")}
    if None in names.values():
        pytest.skip("no shared FFTW on this machine (Debian: libfftw3-single3)")
    before, between = (text.format(**names) for text in OTHERS[what])
    assert played(before, between) == undisturbed
