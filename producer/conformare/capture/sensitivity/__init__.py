"""Which columns are sensitive: by the words of their names, and by marks of the authors."""
