"""Heads, devices, and the sound field between them."""
