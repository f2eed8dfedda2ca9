"""Frames and their samples: layouts, crops, hand-over between threads."""
