"""Proof by fault: the shipped commands on a real Kafka under load, broken in every way we know, against an oracle."""
