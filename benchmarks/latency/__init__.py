"""The latency harness: what a relay costs a call, measured from outside, over real WebRTC."""
