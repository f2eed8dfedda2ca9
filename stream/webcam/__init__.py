"""The webcam: a real camera in, a virtual one out that any conferencing program can pick."""
