"""How a Kafka cluster is reached and asked."""
