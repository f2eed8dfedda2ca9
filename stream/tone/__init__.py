"""Exposure and veil of the whole frame, so that a restored face never looks pasted in."""
