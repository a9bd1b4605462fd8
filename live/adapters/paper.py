"""The paper venue: the simulated market at the costs that research charges."""

from live.adapters.simulated import SimulatedVenue


class PaperVenue(SimulatedVenue):
    """What every runner trades on unless it is told another venue."""
