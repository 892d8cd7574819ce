"""The tests: mirrors of the packages, guarantees, journeys, proofs and benchmarks."""
