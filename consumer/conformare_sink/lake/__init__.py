"""The tables of a lake: who may write, what is known, what is deleted, how they are looked at."""
