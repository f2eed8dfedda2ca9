"""Tests of stream.noise."""
