"""Finds faces in photos and videos, scores them, and says which ones are worth training on and why; needs no torch."""
