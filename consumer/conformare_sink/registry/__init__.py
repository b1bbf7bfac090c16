"""What a Schema Registry says of the ids that frame messages."""
