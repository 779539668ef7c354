"""Stand-ins for the world that fit the ports: in memory, atomic, and honest about conditions."""
