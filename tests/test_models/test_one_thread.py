"""A matrix is worked on by one thread, so that its bits are the same on a machine of two processors and of sixty."""

import os
import subprocess
import sys

import pytest

LOOK = "import os, {package}, numpy; print(os.environ['OPENBLAS_NUM_THREADS'])"


@pytest.mark.parametrize("package", ["pipelines", "live"])
def test_whoever_enters_by_a_package_of_ours_has_one_thread_of_blas(package: str) -> None:
    told = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    asked = [sys.executable, "-c", LOOK.format(package=package)]
    assert subprocess.check_output(asked, env=told, text=True).strip() == "1"
    assert subprocess.check_output(asked, env={**told, "OPENBLAS_NUM_THREADS": "3"}, text=True).strip() == "3"
