"""Compiled loops on arrays: numpy and numba only, serial, no RNG, outputs preallocated by the caller."""
