"""Tests of the virtual webcam."""
