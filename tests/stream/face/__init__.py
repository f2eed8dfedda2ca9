"""Tests of the face tracker, the crop and the region maps."""
