# %% [markdown]
# # From a ruler to a preset
# Every cell can be run by itself in an editor that knows `# %%` cells, or all at once with Python.

# %%
import numpy as np

import forestage
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.seat import Listener, Seat
from forestage.design.cancel import CancelTarget
from forestage.design.zone import Zone

# %% [markdown]
# ## The device
# A small box on a shelf: two drivers 20 cm apart, the listener 1.2 m away. x points to the listener, y to their left.

# %%
drivers = (Driver("left", "left", (0.0, 0.10, 0.0)), Driver("right", "right", (0.0, -0.10, 0.0)))
device = Device("Shelf Box", drivers, Listener(1.2))

# %% [markdown]
# ## The design
# The listener moves by 5 cm to either side; the drivers may get 8 dB more power than in plain stereo.

# %%
target = CancelTarget(drive_cap_db=8.0, zone=Zone(lateral_m=0.05))
result = forestage.design(device, target=target)
for fall in result.shortfall():
    print(fall)

# %% [markdown]
# ## What it does
# Figures with what the device does unaided beside them, for the seat and the head they hold for.

# %%
figures = result.metrics()
print("a sound in the left channel is heard at", figures["width"]["azimuth_by_time_deg"])
print("one in the right channel is heard at", figures["width"]["right_azimuth_by_time_deg"])
print("separation per octave", figures["width"]["separation_db"])
print("width of the sweet spot in m", figures["zone"]["sweet_spot_m"])
print("most drive", figures["effort"]["most_drive_db"])

# %% [markdown]
# ## Elsewhere
# The same filters for somebody 8 cm to the left, and for somebody who turns their head.

# %%
frequency_hz = np.geomspace(400.0, 4000.0, 100)
seats = [Seat((1.2, 0.08, 0.0)), Seat((1.2, 0.0, 0.0), yaw_deg=20.0)]
seen = result.simulate(seats, frequency_hz=frequency_hz)
for seat, ears in zip(seats, seen.processed, strict=True):
    separation_db = 20 * np.log10(np.abs(ears[0, 0] / ears[1, 0]))
    print(seat.position_m, seat.yaw_deg, f"{separation_db.mean():.1f} dB")

# %% [markdown]
# ## Hear it, keep it
# A preset is one file; the plugin and `forestage report` read it too.

# %%
music = 0.1 * np.random.default_rng(0).standard_normal((2, 48_000)).astype(np.float32)
ears = forestage.Renderer(result.preset(), sample_rate=48_000, monitor="Headphones").process(music)
result.save("shelf-box.json", overwrite=True)
result.plot().savefig("shelf-box.png")
