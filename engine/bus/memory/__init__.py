"""The bus and the cluster in memory, for simulations and tests: they keep the same contract."""
