"""Tests by room."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the desk's own packages say, whoever imports NumPy first

# An environment that names a home nobody made: what lies in the folder that tests start in is not theirs to read.
OWN = {"NIGHTDESK_HOME": "no-home"}
