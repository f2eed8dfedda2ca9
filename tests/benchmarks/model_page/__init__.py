"""Tests of `clearcall bench model`."""
