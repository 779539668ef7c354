"""The rules of the service: pure, without a vendor, a clock or a network."""
