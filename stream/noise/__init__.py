"""Grain of the whole frame, taken away where nothing moves."""
