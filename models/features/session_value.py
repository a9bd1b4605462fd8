"""Kernels that any family of one row a session may declare: the session's own value, and a balance of two."""

from models.features.feature import FloatArray, Kernel
from models.features.window import positive


def latest(**windows: FloatArray) -> FloatArray:
    """The one input's value of the session, as the mart has it; missing stays missing."""
    (window,) = windows.values()
    return window[..., -1]


def balance(plus: str, minus: str) -> Kernel:
    """(plus - minus) / (plus + minus) of the session: -1 to 1, missing where there is neither."""

    def kernel(**windows: FloatArray) -> FloatArray:
        gained, lost = windows[plus][..., -1], windows[minus][..., -1]
        return (gained - lost) / positive(gained + lost)

    kernel.__qualname__ = f"balance({plus}, {minus})"
    return kernel
