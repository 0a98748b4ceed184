"""The demo: a simulated distributor on real sales data runs beside a nightly batch."""
