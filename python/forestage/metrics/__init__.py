"""Figures of what arrives at a listener."""
