"""The auction family: one row a session and root, of the contract of most volume in it."""

from models.features.auction import kernels as k
from models.features.feature import Feature, Kernel
from models.features.session_value import balance, latest

UNIT, SIGN, BANDS, STEPS = (0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0), (0.0, 3.0)
WEEK, MONTH = 5, 20
PART_WORDS = {"asia": "Tokyo's day", "london": "London's morning", "newyork": "New York's day",
              "overlap": "New York's morning, while London trades"}  # fmt: skip


def _declare(name: str, look_back: int, kernel: Kernel, inputs: str, description: str,
             bounds: tuple[float, float] | None = None) -> Feature:  # fmt: skip
    return Feature(name, "auction", "root", tuple(inputs.split()), look_back, kernel, description, bounds=bounds)


BANDS_OF = "close vwap vwap_deviation"
VWAP = (
    _declare("vwap_gap", 1, k.gap("vwap"), "close vwap", "Last price / volume-weighted mean price - 1."),
    _declare("vwap_position", 1, k.vwap_position, BANDS_OF, "(last price - VWAP) / volume-weighted deviation."),
    _declare("vwap_band", 1, k.vwap_band, BANDS_OF, "Whole deviations from the VWAP, at most 2 either way.", BANDS),
    _declare("vwap_position_5", WEEK, k.mean_vwap_position, BANDS_OF, "Mean of vwap_position over 5 sessions."),
    _declare("vwap_slope", 1, k.vwap_slope, "vwap open", "VWAP / first price of the session - 1."),
)

LEVELS = (
    *(
        _declare(f"{name}_gap", 1, k.gap(name), f"close {name}", f"Last price / {words} - 1.")
        for name, words in {
            "poc": "point of control", "vah": "value area high", "val": "value area low",
            "ppoc": "the session before's point of control", "pvah": "the session before's value area high",
            "pval": "the session before's value area low",
        }.items()
    ),
    _declare("value_position", 1, k.value_position, "close val vah", "(last price - VAL) / (VAH - VAL)."),
    _declare("value_width", 1, k.value_width, "vah val poc", "(VAH - VAL) / POC."),
    _declare("value_overlap", 1, k.value_overlap, "vah val pvah pval",
             "Overlap / union of this value area and the session before's.", UNIT),
    _declare("open_outside_value", 1, k.open_outside, "open pvah pval",
             "1 opened above the session before's value area, -1 below, 0 inside.", SIGN),
    _declare("poc_shift", 1, k.poc_shift, "poc ppoc", "POC / the session before's - 1."),
    _declare("level_pull", 1, k.level_pull, "close poc vah val",
             "Distance to POC, VAH and VAL, weighted 0.9, 0.8, 0.8, / price."),
)  # fmt: skip

ZONES = (
    _declare("accumulation_share", 1, k.share("accumulation_volume"), "accumulation_volume total_volume",
             "Share of volume at prices below the VWAP where buyers pressed.", UNIT),
    _declare("distribution_share", 1, k.share("distribution_volume"), "distribution_volume total_volume",
             "Share of volume at prices above the VWAP where sellers pressed.", UNIT),
    _declare("imbalance_strength", 1, k.net_share("accumulation_volume", "distribution_volume"),
             "accumulation_volume distribution_volume total_volume", "accumulation_share - distribution_share.", SIGN),
    _declare("volume_gaps", 1, latest, "gap_share", "Share of prices within the range at which nothing traded.",
             UNIT),
    _declare("institutional_gap", 1, k.gap("institutional_price"), "close institutional_price",
             "Last price / the price where most prints over 100 lots traded - 1; null without such prints."),
    _declare("institutional_share", 1, k.share("institutional_volume"), "institutional_volume total_volume",
             "Share of volume in prints over 100 lots.", UNIT),
)

PLACES = "close low high delta delta_low delta_high"
DELTA = (
    _declare("delta_share_5", WEEK, k.ratio_of_sums("delta", "total_volume"), "delta total_volume",
             "Sum of delta / sum of volume over 5 sessions.", SIGN),
    _declare("close_place", 1, k.close_place, "close low high", "Where the close lies in the range, -1 to 1.", SIGN),
    _declare("delta_place", 1, k.delta_place, "delta delta_low delta_high",
             "Where the session's delta ended between its lowest and highest, -1 to 1.", SIGN),
    _declare("delta_divergence", 1, k.delta_divergence, PLACES, "(close_place - delta_place) / 2.", SIGN),
    _declare("hidden_strength", 1, k.hidden_strength, "open close delta",
             "1 where price fell while buyers pressed, -1 where it rose while sellers did, else 0.", SIGN),
    _declare("volume_confirms", 1, k.volume_confirms, "open close up_ticks down_ticks",
             "(up - down ticks) / (up + down), positive where they went the way of the price.", SIGN),
    _declare("volume_ratio_5", WEEK, k.to_mean, "total_volume", "Volume / mean of 5 sessions."),
    _declare("volume_ratio_20", MONTH, k.to_mean, "total_volume", "Volume / mean of 20 sessions."),
)

SMART = (
    _declare("large_balance", 1, balance("large_buy_volume", "large_sell_volume"),
             "large_buy_volume large_sell_volume",
             "(bought - sold) / (bought + sold) in prints over 100 lots; null without such prints.", SIGN),
    _declare("large_net_share", 1, k.net_share("large_buy_volume", "large_sell_volume"),
             "large_buy_volume large_sell_volume total_volume", "(bought - sold) in prints over 100 lots / volume.",
             SIGN),
    _declare("block_share", 1, k.share("block_volume"), "block_volume total_volume",
             "Share of volume in prints of 500 lots or more.", UNIT),
    _declare("hidden_net_share", 1, k.net_share("hidden_bid_volume", "hidden_ask_volume"),
             "hidden_bid_volume hidden_ask_volume total_volume",
             "(volume into hidden buyers - out of hidden sellers) / volume.", SIGN),
    _declare("stealth", 1, k.stealth, "open close hidden_bid_volume hidden_ask_volume total_volume",
             "hidden_net_share where it stands against the session's move, else 0.", SIGN),
)

TICKS = (
    _declare("tick_balance", 1, balance("up_ticks", "down_ticks"), "up_ticks down_ticks",
             "(up - down ticks) / (up + down).", SIGN),
    _declare("tick_persistence", 1, k.tick_persistence, "up_ticks down_ticks reversals",
             "1 - 2 * reversals / ticks: 1 where each went on, -1 where each turned back.", SIGN),
    _declare("session_range", 1, k.session_range, "high low", "High / low - 1."),
    _declare("range_regime", MONTH, k.range_regime, "high low",
             "0 low, 1 normal, 2 high, 3 extreme: the range at 25, 75 and 95 % of 20 sessions.", STEPS),
)

PARTS = (
    *(
        _declare(f"{part}_volume_share", 1, k.share(f"{part}_volume"), f"{part}_volume total_volume",
                 f"Share of volume in {words}.", UNIT)
        for part, words in PART_WORDS.items()
    ),
    *(_declare(f"{part}_move", 1, latest, f"{part}_move", f"Last / first price - 1 of {words}.")
      for part, words in PART_WORDS.items()),
    *(
        _declare(f"{part}_activity_5", WEEK, k.activity(part), f"{part}_range high low",
                 f"Mean range of {words} / mean range of the session, 5 sessions.")
        for part, words in PART_WORDS.items()
    ),
    _declare("busiest_part_5", WEEK, k.best_part, "asia_range london_range newyork_range",
             "Which moved most over 5 sessions: 0 Asia, 1 London, 2 New York.", (0.0, 2.0)),
)  # fmt: skip

FEATURES: tuple[Feature, ...] = (*VWAP, *LEVELS, *ZONES, *DELTA, *SMART, *TICKS, *PARTS)
