"""The relay: a browser calls it over WebRTC and gets its picture back restored."""
