"""Tests of `clearcall bench ablation`."""
