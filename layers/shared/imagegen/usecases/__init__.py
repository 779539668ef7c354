"""What the service does: estimate, generate, chat, status, usage, health. No vendor, no clock."""
