"""Rows that move on are those of one long array, and what was handed out stays what it was."""

import numpy as np
import pytest

from live.rolling import Growing


@pytest.mark.parametrize("brought", [0, 1, 4, 9])
@pytest.mark.parametrize("keep", [1, 4])
def test_the_newest_rows_are_kept_and_old_looks_do_not_change(brought: int, keep: int) -> None:
    rng = np.random.default_rng(brought)
    values, flags = rng.random((brought, 3, 2)), rng.random((brought, 3)) < 0.5
    growing, looks = Growing(keep, values, flags), []
    for _ in range(3 * keep + 2):
        row, flag = rng.random((3, 2)), rng.random(3) < 0.5
        values, flags = np.concatenate([values, row[None]]), np.concatenate([flags, flag[None]])
        looks.append((values[-keep:], flags[-keep:], growing.append(row, flag)))
    for expected, expected_flags, (seen, seen_flags) in looks:
        assert np.array_equal(seen, expected) and np.array_equal(seen_flags, expected_flags)
        assert seen.flags.c_contiguous
