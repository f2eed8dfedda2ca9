"""Tests of stream.tone."""
