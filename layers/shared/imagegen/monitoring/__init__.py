"""CloudWatch metrics: their names, and the samples that each event yields."""
