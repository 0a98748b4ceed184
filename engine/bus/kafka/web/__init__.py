"""What the web process needs of Kafka: it appends events and follows the public topics."""
