"""Factory presets that stand for all, where a test takes long: one of each kind of device."""

FLAT = ("smart-speaker", "laptop", "headphones")  # without equalisers: plain stereo comes out as it went in
KINDS = (*FLAT, "five-driver-speaker")
