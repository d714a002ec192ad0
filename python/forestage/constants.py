"""Constants that many modules share; those that the core knows, too, are the core's."""

from forestage._core import HEAD_RADIUS_M, SPEED_OF_SOUND_M_S

SAMPLE_RATE = 48_000
"""In Hz: what designs are judged at, ear responses are made at and renderers run at unless asked otherwise."""

__all__ = ["HEAD_RADIUS_M", "SAMPLE_RATE", "SPEED_OF_SOUND_M_S"]
