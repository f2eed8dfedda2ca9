"""The shipped graphs, their weights and their manifests."""
