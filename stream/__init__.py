"""Frames in, frames out: face tracking, the filter, and the doors that lead to it."""
