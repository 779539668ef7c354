"""The image providers in one process, each in its own wire format, so that nothing costs money."""

from local.simulator.server import Simulator

__all__ = ["Simulator"]
