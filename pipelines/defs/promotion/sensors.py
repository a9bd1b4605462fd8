"""What asks for a run when no clock does: a night that was missed, a champion that decays, a market that has moved."""

import datetime as dt

import dagster as dg

from pipelines.resources import HomeResource

NIGHT_UTC = dt.time(6)
GRACE = dt.timedelta(minutes=30)  # the schedule's own tick comes first
EVERY_S = 600
UNDER_WAY = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def due_night(now: dt.datetime) -> dt.datetime:
    """The newest 06:00 UTC that is past its grace."""
    tonight = dt.datetime.combine(now.date(), NIGHT_UTC, dt.UTC)
    return tonight if now >= tonight + GRACE else tonight - dt.timedelta(days=1)


def missed(home: HomeResource, instance: dg.DagsterInstance, now: dt.datetime) -> dg.RunRequest | dg.SkipReason:
    from pipelines import night

    if home.settings().source == "sandbox":
        return dg.SkipReason("The sandbox's nights happen when they are asked for: none can be missed.")
    due, known = due_night(now), night.newest(home.home())
    if known is None:
        return dg.SkipReason("No night was ever run here: the first is for a person to start.")
    if known.complete and known.now >= due:
        return dg.SkipReason(f"The night of {due:%Y-%m-%d} stands.")
    if instance.get_runs(filters=dg.RunsFilter(statuses=UNDER_WAY), limit=1):
        return dg.SkipReason("A run is under way.")
    # One request a night: a night that fails is for a person to look at, not to be tried again every ten minutes.
    return dg.RunRequest(run_key=f"missed {due:%Y-%m-%d}")


def unwell(home: HomeResource) -> dg.RunRequest | dg.SkipReason:
    desk = home.home()
    decay, drift, verdict = (desk.read_section(name) for name in ("decay", "drift", "verdict"))
    if decay.get("alarm"):
        return dg.RunRequest(run_key=f"decay of record {decay['record_seq']} on {decay['first_alarm']}")
    moved = drift.get("alarms") or []
    if moved and verdict.get("act") in ("promote", "refresh"):
        # Once for each set of features that have moved, not each night that they stay where they are.
        return dg.RunRequest(run_key=f"drift of {', '.join(sorted(moved))} under record {verdict.get('record_seq')}")
    return dg.SkipReason("Nothing has decayed or moved.")


@dg.sensor(
    job_name="nightly", minimum_interval_seconds=EVERY_S,
    description="Makes up for a night that no tick started: the machine was off, or the daemon was.",
)
def missed_night(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    # Not as a resource: that holds the home's lock and settles a night, which only a run may.
    return missed(HomeResource(), context.instance, dt.datetime.now(dt.UTC))


@dg.sensor(
    job_name="search", minimum_interval_seconds=EVERY_S,
    description="Asks for a search when the champion decays or its features have moved.",
)
def search_when_unwell() -> dg.RunRequest | dg.SkipReason:
    return unwell(HomeResource())
