"""The smallest embedded market, made once for all tests that only need vendors to ask."""

from functools import cache

from pipelines import sandbox, settings
from tests import OWN

SIZES = {"small": True, "names": 5, "sessions": 80, "nights": 4, "chain_sessions": 2, "tick_sessions": 2}


@cache
def small_market() -> sandbox.Market:
    return sandbox.generate(settings.load({"sandbox": SIZES}, environment=OWN))
