"""Run an exported generator. No torch here, and no generator code."""

import os

# ONNX Runtime reports to its maker unless it is told not to before it is first imported, which the folders that import
# it see to by importing this one.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
