"""A stack's alarms and dashboard, generated from the metric names that the code emits."""
