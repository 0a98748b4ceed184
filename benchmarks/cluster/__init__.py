"""Benchmarks on a real Kafka, through the shipped commands: exactly once, acks all."""
