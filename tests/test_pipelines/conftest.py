"""What several test files look at, made once a worker."""

import pytest

from tests.test_pipelines import store_lived


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> store_lived.Lived:
    """The home of store_lived; whoever asks for it belongs to the xdist group `feast`."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return store_lived.live(tmp_path_factory.mktemp("nights"))
