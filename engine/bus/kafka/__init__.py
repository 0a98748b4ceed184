"""The bus on Apache Kafka: the only place that knows faust and aiokafka."""
