"""What `conformare doctor` asks of a Kafka cluster."""
