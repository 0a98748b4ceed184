"""An independent reading of the contract, and the workloads it is checked with."""
