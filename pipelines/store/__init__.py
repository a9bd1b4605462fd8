"""What is known, and when it was: feature tables on two clocks, and Feast over them."""

from pipelines.store.feast_home import feast_store

__all__ = ["feast_store"]
