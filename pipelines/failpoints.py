"""Named places where a test may kill the process, to prove that every publication survives it."""

import os
import signal
from collections import Counter

VARIABLE = "NIGHTDESK_FAILPOINT"  # a name, or name#3 for the third time that it is reached
_times: Counter[str] = Counter()


def reached(name: str) -> None:
    """Die by SIGKILL here when the environment asks for it; otherwise do nothing."""
    wanted, _, nth = os.environ.get(VARIABLE, "").partition("#")
    if name != wanted:
        return
    _times[name] += 1
    if _times[name] >= int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
