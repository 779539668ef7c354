"""The whole stack on one machine, and the small tools behind the Makefile. Never deployed."""
