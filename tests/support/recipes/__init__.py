"""The recipes of examples/recipes, called as their users call them."""
