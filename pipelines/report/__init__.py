"""The nightly's one page: what happened, what was decided and why, in one file that needs nothing else."""

from pipelines.report.page import headline, latest, render, tell, untold

__all__ = ["headline", "latest", "render", "tell", "untold"]
