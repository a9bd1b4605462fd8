"""Dagster's view of one desk: its home, settings and the one moment that a run believes it is."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from pipelines import settings as settings_module
from pipelines.home import Home

# Tags of a run: let one more sandbox night happen; ask whether another configuration deserves the slot.
ADVANCE, SEARCH = "nightdesk/advance", "nightdesk/search"


class HomeResource(dg.ConfigurableResource):  # type: ignore[misc]
    """Holds the home's lock while a run writes. `overrides` is the command line's part of the settings, as JSON."""

    overrides: str = "{}"

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["HomeResource"]:
        from pipelines import lineage, night
        from pipelines.libraries_sqlite import eased

        home = self.home()
        with home.lock(), eased(home.root):
            run = context.run
            advance = run is not None and run.tags.get(ADVANCE) == "true"
            night.settle(self.settings(), home, run.run_id if run else "", advance=advance)
            try:
                yield self
            finally:  # a failed night has made something too
                if run is not None and context.instance is not None:
                    newest = night.newest(home)
                    whole = run.asset_selection is None and newest is not None and newest.complete
                    lineage.note(home, _made(context.instance, run.run_id), whole=whole)

    def settings(self) -> settings_module.Settings:
        return settings_module.load(json.loads(self.overrides))

    def home(self) -> Home:
        return Home(self.settings().home)

    def now(self) -> dt.datetime:
        """The night that is being worked on: settled once a run, read by every step."""
        from pipelines import night

        return night.current(self.home())


def _made(instance: dg.DagsterInstance, run_id: str) -> dict[str, dict[str, str]]:
    """The tags of everything that a run has materialized."""
    logged = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    found = [entry.asset_materialization for entry in logged]
    return {one.asset_key.to_user_string(): dict(one.tags or {}) for one in found if one is not None}
