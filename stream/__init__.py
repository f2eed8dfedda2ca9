"""Frames in, frames out: face tracking, the filter, and the doors that lead to it."""

import engines as engines  # first: it keeps ONNX Runtime from reporting to its maker
