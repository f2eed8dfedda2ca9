"""The one-step flow generator: torch modules, nothing else."""
