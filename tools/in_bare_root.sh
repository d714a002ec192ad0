#!/usr/bin/env bash
# What check_wheel.py runs in a bare Debian: in_bare_root.sh FOLDER, where FOLDER/wheels has the wheel and what it needs.
set -euo pipefail
cd "$1"
! command -v cc gcc g++ clang || { echo "this root is not bare: there is a compiler" >&2; exit 1; }

python3 -m venv env
env/bin/pip -q --disable-pip-version-check install --no-index --find-links wheels forestage
export PATH="$PWD/env/bin:$PATH"

grep -q smart-speaker <<<"$(forestage presets)"
python - <<'END'
import numpy as np, soundfile
soundfile.write("song.wav", 0.1 * np.random.default_rng(0).standard_normal((48_000, 2)), 48_000)
END
forestage render song.wav ears.wav --preset laptop --monitor Headphones
forestage install-plugin >/dev/null

python - <<'END'
import ctypes, pathlib
import numpy as np, pedalboard, soundfile
import forestage

x = soundfile.read("song.wav", dtype="float32")[0].T
ears = soundfile.read("ears.wav", dtype="float32")[0].T
plugin = forestage.load_plugin("laptop", monitor="Headphones")
y = plugin.process(x, 48_000)
assert plugin.preset == forestage.load_preset("laptop").name
n = min(y.shape[1], ears.shape[1]) - 4800
assert n > 40_000 and np.abs(y[:, :n] - ears[:, :n]).max() < 1e-4, "the plugin and `forestage render` differ"

home = pathlib.Path.home()
alone = pedalboard.VST3Plugin(str(home / ".vst3/Forestage.vst3"))
assert alone.parameters["preset"].valid_values[0] == forestage.load_preset("smart-speaker").name
for library in (home / ".lv2/Forestage.lv2/libForestage.so", forestage.host.plugin_path("lv2") / "libForestage.so"):
    descriptor = ctypes.CDLL(str(library)).lv2_descriptor
    descriptor.restype = ctypes.c_void_p
    assert descriptor(0), library
END

standalone=$(python -c "from forestage.host import plugin_path; print(plugin_path('standalone'))")
message=$(DISPLAY=:0 "$standalone" 2>&1) && exit 1
grep -q libasound <<<"$message" || { echo "$message" >&2; exit 1; }
echo "bare Debian 12: presets, render, install-plugin, VST3 and LV2 work; the standalone says what it lacks"
