"""Load tests: seeded, with a checksum of the work, as ratios against a yardstick of the same run."""
