"""Data, degradations, losses and the training loop of the generator."""
