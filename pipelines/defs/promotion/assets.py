"""Promotion: a written, signed verdict, and the bundle that live reads where the verdict lets one through."""

import dagster as dg

from pipelines.defs.tables import pairs, readable
from pipelines.home import Home
from pipelines.resources import SEARCH, HomeResource


def _oracle_sharpe(desk: Home, settings: object) -> float | None:
    """What a trader who knew the sandbox's planted effect would have earned; None with real data."""
    from pipelines.settings import Settings

    assert isinstance(settings, Settings)
    if settings.source != "sandbox":
        return None
    from pipelines import kept, sandbox
    from pipelines.digest import json_digest

    asked = json_digest([settings.seed, settings.sandbox.model_dump(mode="json"), kept.code()])
    told = kept.answer(desk, "oracle", asked)
    if told is None:
        told = float(sandbox.generate(settings).oracle_sharpe())
        kept.keep(desk, "oracle", asked, told)
    return float(told)


@dg.asset(
    key=["promotion", "verdict"],
    deps=[dg.AssetKey(["validation", "judged"]), dg.AssetKey(["validation", "drift"])],
    group_name="promotion",
    kinds={"python"},
    owners=["team:nightdesk"],
    description="The gate's answer, with every value, bar and reason; one signed record in the chain. A refusal is an "
                "answer, not a failure: the run stays green and nothing is published.",
)
def verdict(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    from pipelines.evidence.judge import decide_night, verdict_section
    from pipelines.evidence.judged import JudgedNight
    from pipelines.progress import say, step
    from pipelines.training import enough, inputs

    desk, settings = home.home(), home.settings()
    told = inputs.load(desk)
    if why := enough.lacking(settings, told):
        return dg.MaterializeResult(metadata=enough.skip(desk, "verdict", why), data_version=dg.DataVersion("skipped"))
    with step("gate"):
        search = context.run.tags.get(SEARCH) == "true"
        tonight = decide_night(desk, settings, told, JudgedNight.load(desk), home.now(), search=search)
    section = verdict_section(tonight, settings, _oracle_sharpe(desk, settings))
    desk.write_section("verdict", section)
    say(f"    {section['act']}: {section['strategy']}")
    checks = [{name: one[name] for name in ("name", "value", "threshold", "passed")} for one in section["checks"]]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(tonight.record.content_digest),
        metadata={
            "act": section["act"], "strategy": section["strategy"], "record": tonight.record.seq,
            "trials_judged": section["trials_n"],
            "trials_counted": (section.get("figures") or {}).get("trials_n") or section["trials_n"],
            "reasons": dg.MetadataValue.md("\n".join(f"- {reason}" for reason in section["reasons"])),
            "checks": readable(checks),
            "smallest_visible_sharpe": pairs(section["smallest_visible_sharpe"], "promoted_percent", "true_sharpe"),
        },
    )


@dg.asset(
    key=["promotion", "bundle"],
    deps=[verdict],
    group_name="promotion",
    kinds={"python"},
    owners=["team:nightdesk"],
    description="Weights, snapshot and signed manifest in one folder, verified as live does; or nothing, and why.",
)
def bundle(home: HomeResource) -> dg.MaterializeResult:
    from pipelines.evidence.judge import last_verdict
    from pipelines.evidence.mirror import mirror
    from pipelines.evidence.package import publish_night
    from pipelines.progress import say, step
    from pipelines.training import enough, inputs

    desk, now = home.home(), home.now()
    told = inputs.load(desk)
    if why := enough.lacking(home.settings(), told):
        return dg.MaterializeResult(metadata=enough.skip(desk, "bundle", why), data_version=dg.DataVersion("skipped"))
    with step("bundle"):
        section = publish_night(desk, told, last_verdict(desk, home.settings(), told, now), now)
        if home.settings().publish.mirror:
            section["mirrored"] = mirror(desk, str(home.settings().publish.mirror))
    desk.write_section("bundle", section)
    say(f"    {section['path']}" if section["published"] else f"    {section['why']}")
    shown = {name: value for name, value in section.items() if name != "files" and value is not None}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(section.get("digest", "nothing published")),
        metadata={**shown, "files": pairs(section.get("files", {}), "file", "bytes")},
    )


@dg.asset(
    key=["promotion", "registry"],
    deps=[bundle],
    group_name="promotion",
    kinds={"mlflow"},
    owners=["team:nightdesk"],
    description="MLflow's registry for people: a version a bundle, an alias on who holds the slot, derived from the "
                "signed records. Nothing reads it back.",
)
def registry(home: HomeResource) -> dg.MaterializeResult:
    from pipelines.digest import json_digest
    from pipelines.evidence import registry as derived
    from pipelines.progress import step

    with step("registry"):
        told = derived.derive_if_new(home.home())
    return dg.MaterializeResult(
        data_version=dg.DataVersion(json_digest(told)),
        metadata={"versions": told["versions"],
                  **{name: f"version {version}" for name, version in told["aliases"].items()}},
    )
