"""The one door to Kafka clients, for buses and connectors."""
