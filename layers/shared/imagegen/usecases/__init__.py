"""What the service does, one doer per file; no vendor, no clock, no environment."""
