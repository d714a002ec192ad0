"""Plugins for chains."""

import shutil
import subprocess

import pytest


def crashing_plugin(folder):
    """A VST3 that crashes as soon as it is loaded."""
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    binary = folder / "Crasher.vst3" / "Contents" / "x86_64-linux" / "Crasher.so"
    binary.parent.mkdir(parents=True)
    code = 'extern "C" bool ModuleEntry(void*) { __builtin_trap(); } extern "C" void* GetPluginFactory() { return 0; }'
    subprocess.run(["g++", "-shared", "-fPIC", "-x", "c++", "-", "-o", binary], input=code, text=True, check=True)
    return binary.parents[2]
