"""The file door, on small videos made on the spot."""
