"""The one composition root: a service for each function, built from a world and settings.

Production builds over ``AwsWorld``; tests and bench build the same services over worlds of their
own. Nothing is wired anywhere else.
"""
