"""The pure core: contract types, values, outcomes and the arithmetic of replenishment."""
