"""Generator to ONNX: static graphs, shared weights, parity checks."""
