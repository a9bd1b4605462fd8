"""What must hold of the training panel and of what was fitted on it."""

import dagster as dg

from pipelines.resources import HomeResource

PANEL = dg.AssetKey(["training", "panel"])


@dg.asset_check(asset=PANEL, blocking=True, description="No label is used before it is over, and none is infinite.")
def labels_are_over(home: HomeResource) -> dg.AssetCheckResult:
    import numpy as np

    from pipelines.training import inputs

    told = inputs.load(home.home())
    early = int(np.isfinite(told.returns[-2:]).sum())  # the last closed session's label ends at the coming open
    infinite = int(np.isinf(told.returns).sum())
    return dg.AssetCheckResult(passed=not early and not infinite,
                               metadata={"labels_not_over": early, "infinite": infinite})


@dg.asset_check(asset=PANEL, description="Most names that may be traded have features to be scored on.")
def tradable_names_have_features(home: HomeResource) -> dg.AssetCheckResult:
    import numpy as np

    from pipelines.training import inputs
    from pipelines.training.candidates import ACROSS

    panel = inputs.load(home.home()).panel
    known = np.isfinite(panel.select(ACROSS).values).all(axis=2)
    share = float(known[panel.tradable].mean()) if panel.tradable.any() else 0.0
    return dg.AssetCheckResult(passed=share >= 0.95, severity=dg.AssetCheckSeverity.WARN,
                               metadata={"share_complete": share})
