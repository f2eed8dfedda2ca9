"""Tests."""

import engines as engines  # first, as in the folders under test
