"""The nouns, the contracts, the effects. No I/O; numpy and kernels only."""
