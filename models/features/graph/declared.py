"""The graph family: one row a session and name, on edges that were drawn before the week began."""

from models.features.feature import Block, Feature
from models.features.graph.edges import ALIKE, NEIGHBOURS, SIGNIFICANCE, WINDOW
from models.features.graph.nodes import INPUTS, LOOK_BACK, fill

UNIT, SIGN = (0.0, 1.0), (-1.0, 1.0)
NEAR = f"the {NEIGHBOURS} names most alike in the {WINDOW} sessions before this week"
LED = f"at {SIGNIFICANCE:.0%} in a test of two lags"

DESCRIPTIONS: dict[str, tuple[str, tuple[float, float] | None]] = {
    "graph_degree": (f"Share of the other names with a residual correlation above {ALIKE:g}.", UNIT),
    "graph_in_degree": (f"Share of the other names that count this one among their {NEIGHBOURS} most alike.", UNIT),
    "graph_strength": (f"Mean residual correlation to {NEAR}.", SIGN),
    "neighbour_ret_1": (f"Mean ret_1 of {NEAR}.", None),
    "neighbour_ret_5": (f"Mean ret_5 of {NEAR}.", None),
    "neighbour_gap_5": ("neighbour_ret_5 less its own ret_5: what it has yet to catch up.", None),
    "granger_led_share": (f"Share of its {NEIGHBOURS} neighbours whose last moves foretell its next, {LED}.", UNIT),
    "granger_lead_share": (f"Share of the other names whose next move its own foretell, {LED}.", UNIT),
    "leader_ret_1": ("Mean ret_1 of the neighbours that lead it; null where none does.", None),
    "graph_turnover_20": ("Share of its neighbours that were not among them 20 sessions before.", UNIT),
    "correlation_rotation_20": ("graph_strength less that of 20 sessions before.", (-2.0, 2.0)),
}
BLOCK = Block(tuple(DESCRIPTIONS), fill, together=True)

FEATURES = tuple(
    Feature(name, "graph", "instrument", INPUTS, LOOK_BACK, BLOCK, description, bounds=bounds)
    for name, (description, bounds) in DESCRIPTIONS.items()
)
