"""The fold on one machine: one engine for all partitions, and the service around it."""
