"""Constants of physics."""

SPEED_OF_SOUND_M_S = 343.0
