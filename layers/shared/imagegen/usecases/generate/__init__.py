"""A confirmed request: hold, moderation, attempts, storage, settlement, replay."""
