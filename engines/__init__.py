"""Run an exported generator. No torch here, and no generator code."""
