"""Tests of stream.tiles."""
