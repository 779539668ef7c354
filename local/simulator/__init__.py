"""Simulates the image providers in one process, each with its own wire format, at no cost."""

from local.simulator.server import Simulator

__all__ = ["Simulator"]
