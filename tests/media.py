"""Where the test recordings are: real ones beside the checkout when present."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
CALL_VIDEO = SHARED / "call" / "p030_call_720p.mp4"
CALL_LANDMARKS = SHARED / "call" / "p030_call_720p_mediapipe_facemesh.npz"

needs_shared = pytest.mark.skipif(not CALL_VIDEO.exists(), reason="needs the recordings of ../shared/data")
