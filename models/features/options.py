"""Positioning of the index option market, one row a session."""

from models.features.feature import Feature, FloatArray, Kernel
from models.features.session_value import latest

BILLION = 1e9


def gamma_billions(gamma_exposure: FloatArray) -> FloatArray:
    return gamma_exposure[..., -1] / BILLION


def _declare(name: str, kernel: Kernel, column: str, description: str,
             bounds: tuple[float, float] | None = None) -> Feature:
    return Feature(name, "options", "underlying", (column,), 1, kernel, description, bounds=bounds)


FEATURES = (
    _declare("put_call_ratio", latest, "put_call_ratio", "Put volume / call volume of the session, SPX."),
    _declare("share_0dte", latest, "share_0dte", "Fraction of the session's contracts that expire that day.",
             (0.0, 1.0)),
    _declare("gamma_exposure_bn", gamma_billions, "gamma_exposure", "Dealer gamma, billion USD per 1 % move."),
    _declare("iv30", latest, "iv30", "Implied volatility of 30 days, a decimal."),
)
