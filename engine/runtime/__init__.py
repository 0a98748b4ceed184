"""The loop of a partition: decode, step, commit."""
