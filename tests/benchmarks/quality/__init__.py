"""Tests of `clearcall bench quality`."""
