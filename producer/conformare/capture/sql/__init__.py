"""SQL, and what Spark knows of tables: names, relations, statements."""
