"""While Feast is imported its classes stay as they were written; before and after, typeguard does what it is asked."""

import pytest
import typeguard

from pipelines.libraries_feast import as_written


def test_only_what_is_imported_meanwhile_is_left_as_written() -> None:
    asked_before = typeguard.typechecked

    def declare() -> type:
        @typeguard.typechecked
        class Named:
            @typeguard.typechecked(forward_ref_policy=typeguard.ForwardRefPolicy.IGNORE)
            def called(self, name: str) -> str:
                return name

        return Named

    with as_written():
        assert declare()().called(7) == 7
    assert typeguard.typechecked is asked_before
    with pytest.raises(typeguard.TypeCheckError):
        declare()().called(7)
