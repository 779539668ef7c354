"""What watches a stack: its alarms and its dashboard, made from the names that the code emits."""
