"""The use cases: estimate, generate, chat, status, usage, health.

They call vendors and stores through protocols only, and get the time from outside.
"""
