"""Measurements of speed and quality; nothing here is imported at run time."""

import engines as engines  # first: it keeps ONNX Runtime from reporting to its maker
