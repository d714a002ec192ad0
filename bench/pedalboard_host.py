"""Cost of the plugin inside pedalboard: the same chain, less what pedalboard itself costs (a Gain in its place)."""

import json
import statistics
import sys
import time

import numpy as np
import pedalboard

import forestage
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


def main():
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
