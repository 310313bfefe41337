"""What the benchmarks share: `build` (their programs, Release) and `table` (how figures are printed)."""
