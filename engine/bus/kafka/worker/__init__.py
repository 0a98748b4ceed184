"""What a worker needs of Kafka: group, ownership of partitions, transactions, local rows."""
