"""Finds the face, follows it from frame to frame, and says which crop and regions the generator gets."""
