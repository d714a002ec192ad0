"""Listening tests of presets: blind, equally loud, aligned to the sample, in a browser."""
