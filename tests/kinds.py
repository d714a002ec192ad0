"""Factory presets that stand for all, where a test takes long: one of each kind of device."""

KINDS = ("smart-speaker", "laptop", "five-driver-speaker", "headphones")
