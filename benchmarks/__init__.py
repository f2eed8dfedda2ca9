"""Measurements of speed and quality; nothing here is imported at run time."""
