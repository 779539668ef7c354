"""Many images a second: a model of the table, a simulated day, and what it costs."""
