"""What only a whole batch shows: a file in cents, a day of half the names."""

from pathlib import Path

import pytest

from pipelines import calendars
from pipelines.lake import expectations
from tests.test_pipelines.small_lake import SmallLake, day

SESSIONS = calendars.sessions(day("2025-06-02"), day("2025-06-06"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Great Expectations imports
@pytest.mark.parametrize(
    ("last_price", "names", "against"),
    [(10.0, 30, set()), (1000.0, 30, {"typical_step"}), (1.0, 30, {"typical_step"}), (10.0, 15, {"width"})],
)
def test_a_last_day_unlike_the_rest_is_told(tmp_path: Path, last_price: float, names: int, against: set[str]) -> None:
    lake = SmallLake()
    for session in SESSIONS:
        last = session == SESSIONS[-1]
        for number in range(names if last else 30):
            lake.bar(f"A{number}", session, last_price if last else 10.0)
    told = expectations.of(lake.write(tmp_path), "equity_bars")
    assert {name.split()[-1] for name in told["failed"]} == against
