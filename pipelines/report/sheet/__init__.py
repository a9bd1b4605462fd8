"""One strategy on one page: the tear sheet of a judged candidate, or of a backtest."""

from pipelines.report.sheet.page import compose
from pipelines.report.sheet.record import Comparison, Sheet

__all__ = ["Comparison", "Sheet", "compose"]
