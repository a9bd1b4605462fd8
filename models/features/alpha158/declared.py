"""The 158 declarations. Names are Qlib's; prices are on the total-return basis, volume on the split basis."""

from models.features.alpha158.columns import NAMES, alpha158
from models.features.alpha158.windows import LONGEST, WINDOWS
from models.features.feature import Block, Feature

INPUTS = ("open_tr", "high_tr", "low_tr", "close_tr", "vwap_tr", "volume_split")
# One pass yields all of them, so all look back as far as the longest: 60 changes from one session to the next.
LOOK_BACK = LONGEST + 1
BLOCK = Block(NAMES, alpha158)
SHARE, SIGNED, NEARLY_SHARE, NEARLY_SIGNED = (0.0, 1.0), (-1.0, 1.0), (0.0, 1.0 + 1e-9), (-1.0 - 1e-9, 1.0 + 1e-9)

Meaning = tuple[str, tuple[float, float] | None]

BARS: dict[str, Meaning] = {
    "KMID": ("(close - open) / open.", None),
    "KLEN": ("(high - low) / open.", None),
    "KMID2": ("(close - open) / (high - low).", SIGNED),
    "KUP": ("(high - max(open, close)) / open.", None),
    "KUP2": ("(high - max(open, close)) / (high - low).", SHARE),
    "KLOW": ("(min(open, close) - low) / open.", None),
    "KLOW2": ("(min(open, close) - low) / (high - low).", SHARE),
    "KSFT": ("(2 * close - high - low) / open.", None),
    "KSFT2": ("(2 * close - high - low) / (high - low).", SIGNED),
    "OPEN0": ("open / close.", None),
    "HIGH0": ("high / close.", None),
    "LOW0": ("low / close.", None),
    "VWAP0": ("vwap / close; daily bars carry no vwap, and (high + low + close) / 3 stands for it.", None),
}
OVER_WINDOWS: dict[str, Meaning] = {
    "ROC": ("Close of {n} sessions ago / close.", None),
    "MA": ("Mean close of {n} sessions / close.", None),
    "STD": ("Standard deviation of {n} closes / close.", None),
    "BETA": ("Slope of a straight line through {n} closes, a session / close.", None),
    "RSQR": ("R squared of a straight line through {n} closes; null where they stand still.", NEARLY_SHARE),
    "RESI": ("(close - straight line through {n} closes) / close.", None),
    "MAX": ("Highest high of {n} sessions / close.", None),
    "MIN": ("Lowest low of {n} sessions / close.", None),
    "QTLU": ("80 % quantile of {n} closes / close.", None),
    "QTLD": ("20 % quantile of {n} closes / close.", None),
    "RANK": ("Rank of the close among {n} closes, ties in the middle, / their number.", SHARE),
    "RSV": ("(close - lowest low) / (highest high - lowest low) of {n} sessions.", SHARE),
    "IMAX": ("Place of the highest high in the window of {n} sessions, from its oldest bar, / {n}.", SHARE),
    "IMIN": ("Place of the lowest low in the window of {n} sessions, from its oldest bar, / {n}.", SHARE),
    "IMXD": ("IMAX{n} - IMIN{n}: sessions from lowest low to highest high / {n}.", SIGNED),
    "CORR": ("Correlation of close and log(volume + 1) over {n} sessions.", NEARLY_SIGNED),
    "CORD": ("Correlation of close / close before and log(volume / volume before + 1) over {n} sessions.",
             NEARLY_SIGNED),
    "CNTP": ("Share of {n} sessions whose close rose.", SHARE),
    "CNTN": ("Share of {n} sessions whose close fell.", SHARE),
    "CNTD": ("CNTP{n} - CNTN{n}.", SIGNED),
    "SUMP": ("Gains of the close / (gains + losses) over {n} sessions.", SHARE),
    "SUMN": ("Losses of the close / (gains + losses) over {n} sessions.", SHARE),
    "SUMD": ("(gains - losses) / (gains + losses) of the close over {n} sessions.", SIGNED),
    "VMA": ("Mean volume of {n} sessions / volume.", None),
    "VSTD": ("Standard deviation of {n} volumes / volume.", None),
    "WVMA": ("Standard deviation / mean of |return| * volume over {n} sessions.", None),
    "VSUMP": ("Gains of the volume / (gains + losses) over {n} sessions.", SHARE),
    "VSUMN": ("Losses of the volume / (gains + losses) over {n} sessions.", SHARE),
    "VSUMD": ("(gains - losses) / (gains + losses) of the volume over {n} sessions.", SIGNED),
}
MEANINGS: dict[str, Meaning] = BARS | {
    f"{name}{n}": (text.format(n=n), bounds) for name, (text, bounds) in OVER_WINDOWS.items() for n in WINDOWS
}
FEATURES = tuple(
    Feature(
        name=name, family="alpha158", cells="equity", entity="instrument", inputs=INPUTS, look_back=LOOK_BACK,
        kernel=BLOCK, description=MEANINGS[name][0], bounds=MEANINGS[name][1],
    )
    for name in NAMES
)
