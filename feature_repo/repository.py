"""What Feast applies: every feature of the registry, over the tables of the home that NIGHTDESK_FEAST belongs to."""

import os
from pathlib import Path

from pipelines.store.feast_objects import feast_objects

globals().update(feast_objects(Path(os.environ["NIGHTDESK_FEAST"]).parent / "lake" / "features"))
