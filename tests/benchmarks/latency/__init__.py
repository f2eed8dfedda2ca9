"""Tests of the latency harness."""
