"""Cost of the plugin inside pedalboard: the same chain, less what pedalboard itself costs (a Gain in its place).

And what loading it takes, in processor time of the process: of that, pedalboard asks for the texts of a thousand values
of each parameter, in Python.
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


def asking_for_texts(spent_s):
    """Replace what pedalboard does by the same, which adds its time to a list."""
    plain = pedalboard.VST3Plugin._get_parameters

    def timed(plugin):
        start = time.process_time()
        parameters = plain(plugin)
        spent_s.append(time.process_time() - start)
        return parameters

    pedalboard.VST3Plugin._get_parameters = timed


def print_cost(name, work, spent_s=()):
    start, before = time.process_time(), len(spent_s)
    result = work()
    row = {"name": name, "cpu_ms": 1e3 * (time.process_time() - start)}
    if spent_s:
        row["of_which_pedalboard"] = 1e3 * sum(spent_s[before:])
    sys.stdout.write(json.dumps(row) + "\n")
    return result


def load():
    spent_s = []
    asking_for_texts(spent_s)
    plugins = [
        print_cost(f"load, {which} instance", lambda: forestage.load_plugin("smart-speaker"), spent_s)
        for which in ("first", "second", "third")
    ]
    print_cost("load, another preset", lambda: forestage.load_plugin("tv", "desktop-10"), spent_s)
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
