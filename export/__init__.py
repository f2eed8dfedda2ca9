"""Generator to ONNX: static graphs, shared weights, parity checks."""

import engines as engines  # first: it keeps ONNX Runtime from reporting to its maker
