"""Rows of the trial ledger and MLflow's runs, each found from the other: a run names its row, so that a row which was
taken out is missed by whoever kept the run."""

import sqlite3
from dataclasses import replace

from pipelines import sqlite
from pipelines.evidence.ledger import Ledger
from pipelines.home import Home
from pipelines.training.runs import Run

ROW, HEAD = "ledger.row", "ledger.head"  # tags of a run, after 'nightdesk.'


def tied(home: Home, runs: list[Run], data: str) -> list[Run]:
    """The same runs: each judged candidate and each tuning trial with its row, the others with the ledger's head."""
    ledger = Ledger(home.ledger)
    outer = {(row["config_key"], row["detail"].get("data")): row["identity"] for row in ledger.rows("outer")}
    inner = {(row["detail"].get("search"), row["detail"].get("trial")): row["identity"] for row in ledger.rows("inner")}
    told = []
    for run in runs:
        number = int(run.place.rpartition(" trial ")[2]) - 1 if run.tags.get("kind") == "trial" else None
        row = inner.get((run.tags.get("search"), number)) if number is not None else outer.get(
            (str(run.params.get("key")), data))
        told.append(replace(run, tags={**run.tags, **({ROW: row} if row else {HEAD: ledger.head})}))
    return told


def runs_of_rows(home: Home) -> dict[str, str]:
    """{a row's identity: the id of the newest run that names it}, read from MLflow's store without MLflow."""
    store = home.mlflow / "mlflow.db"
    if not store.exists():
        return {}
    with sqlite.reading(store) as con:
        try:
            found = con.execute("select value, run_uuid from tags join runs using (run_uuid) where key = ? "
                                "order by start_time, run_uuid", (f"nightdesk.{ROW}",)).fetchall()
        except sqlite3.OperationalError:  # a store that was never finished, or is being written
            return {}
    return dict(found)


def lost(home: Home, ledger: Ledger) -> list[str]:
    """Rows that runs name and the ledger has not."""
    known = {row["identity"] for row in ledger.rows()}
    return sorted(identity for identity in runs_of_rows(home) if identity not in known)
