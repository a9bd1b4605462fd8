"""A night that the schedule started and that failed is told like one that a person started."""

import dagster as dg

from pipelines.resources import HomeResource


@dg.run_failure_sensor(
    name="failed_night",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Writes alerts.jsonl in the home, and posts to alerts.webhook where one is set; each run once.",
)
def failed_night(context: dg.RunFailureSensorContext) -> None:
    from pipelines import alerts

    desk = HomeResource()  # not as a resource of the sensor's: that would open a night, and take the home's lock
    said = f"{context.dagster_run.job_name}: {context.failure_event.message or 'no word of why'}"
    alerts.night_failed(desk.home(), desk.settings(), context.dagster_run.run_id, said)
