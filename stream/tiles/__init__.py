"""The whole frame through the generator, tile by tile."""
