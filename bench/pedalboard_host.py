"""Cost of the plugin inside pedalboard: the same chain, less what pedalboard itself costs (a Gain in its place).

And what loading it takes, in processor time of the process, beside pedalboard's list of parameters: the texts of a
thousand values of each, in Python.
"""

import json
import statistics
import sys
import time

import numpy as np
import pedalboard

import forestage
from forestage import _core
from forestage.constants import SAMPLE_RATE

BUFFER_FRAMES = 128
SECONDS = 10
RUNS = 7


def ns_per_frame(plugin, channels):
    x = np.zeros((channels, SAMPLE_RATE * SECONDS), np.float32)
    x[:2] = 0.1 * np.random.default_rng(0).standard_normal((2, x.shape[1]))
    times = []
    for _ in range(RUNS + 1):
        start = time.thread_time()
        plugin.process(x, SAMPLE_RATE, buffer_size=BUFFER_FRAMES)
        times.append((time.thread_time() - start) / x.shape[1] * 1e9)
    return statistics.median(times[1:])


def print_cost(name, work):
    start = time.process_time()
    result = work()
    sys.stdout.write(json.dumps({"name": name, "cpu_ms": 1e3 * (time.process_time() - start)}) + "\n")
    return result


def load():
    plugins = [
        print_cost(f"load, {which} instance", lambda: forestage.load_plugin("smart-speaker"))
        for which in ("first", "second", "third")
    ]
    print_cost("load, another preset", lambda: forestage.load_plugin("tv", "desktop-10"))
    print_cost("pedalboard's list, when a parameter is first used", lambda: plugins[0].monitor)
    plugins[0].preset = "Soundbar 3"
    print_cost("state with a preset that nobody has packed", lambda: plugins[0].raw_state)
    print_cost("state of presets that are packed", lambda: plugins[1].raw_state)
    state = _core.packed_state(*(forestage.load_preset(name) for name in ("smart-speaker", "laptop")), {})
    sys.stdout.write(json.dumps({"name": "state of two presets with rooms", "kb": 1e-3 * len(state)}) + "\n")


def main():
    load()
    for monitor, channels in (("Speakers", 3), ("Headphones", 2)):
        plugin = forestage.load_plugin("smart-speaker", monitor=monitor)
        whole = ns_per_frame(plugin, channels)
        host = ns_per_frame(pedalboard.Gain(0.0), channels)
        row = {
            "name": f"plugin, {monitor}",
            "ns_per_frame": whole,
            "of_which_pedalboard": host,
            "plugin_alone": whole - host,
            "x_real_time": 1e9 / SAMPLE_RATE / whole,
        }
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
