"""Where the index future closed against its volume, and who pushed; the contract of most volume in the session."""

from models.features.feature import Feature, FloatArray


def poc_distance(last_price: FloatArray, poc: FloatArray) -> FloatArray:
    return last_price[..., -1] / poc[..., -1] - 1.0


def delta_share(delta: FloatArray, total_volume: FloatArray) -> FloatArray:
    return delta[..., -1] / total_volume[..., -1]


FEATURES = (
    Feature("es_poc_distance", "futures", "root", ("last_price", "poc"), 1, poc_distance,
            "Last price / point of control of the session - 1, ES."),
    Feature("es_delta_share", "futures", "root", ("delta", "total_volume"), 1, delta_share,
            "(Buyer- less seller-aggressor volume) / volume of the session, ES.", bounds=(-1.0, 1.0)),
)
