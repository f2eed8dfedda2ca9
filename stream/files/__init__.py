"""The file door: a video file in, the same file with the face restored out."""
