"""Which incoming rows are new versions of a fact, and since when each counts: design law 1, as one query a dataset.

The first version of a fact counts from its modelled time. A version that differs from the one before counts from its
receipt, and so does a fact that an earlier pull of the same slot should have held, or that another source had told
before. An equal value is no version.
"""

from pathlib import Path

import pyarrow as pa

from pipelines.lake.schemas import DATASETS, INSTANT, Dataset
from pipelines.literals import one_file

# What an incoming row carries beside the dataset's own columns and event_time. A body's rows share its path and hash.
SHARED = pa.dictionary(pa.int32(), pa.string())
INCOMING = [
    ("modelled_at", INSTANT), ("opening", pa.bool_()), ("received_at", INSTANT), ("pulled_before_at", INSTANT),
    ("body_sha256", SHARED), ("path", SHARED), ("place", pa.int64()), ("row_index", pa.int64()),
]  # fmt: skip


def incoming_schema(dataset: Dataset) -> pa.Schema:
    fields = [*dataset.own, pa.field("event_time", INSTANT), *(pa.field(*column) for column in INCOMING)]
    return pa.schema(fields)


_SQL = """
WITH incoming AS (
    SELECT * FROM read_parquet($incoming)
), {met} several AS (  -- facts of which more than one thing was ever said; of all others the first word is the only one
    SELECT {fact} FROM met GROUP BY ALL HAVING count(*) > 1
    UNION
    SELECT {held_fact} FROM read_parquet($facts, union_by_name = true) AS f SEMI JOIN met ON {met_fact}
), said AS (  -- a pull says one thing of a fact: the last place that says it
    SELECT incoming.* FROM incoming SEMI JOIN several ON {several_fact}
    QUALIFY row_number() OVER (
        PARTITION BY {grain}, received_at, opening ORDER BY path DESC, place DESC, row_index DESC) = 1
), one AS (
    {one}
), held AS (
    SELECT {facts}, epoch_us(available_at) AS held_at FROM read_parquet($facts, union_by_name = true) AS f
    SEMI JOIN one AS o ON {same_grain}
    QUALIFY row_number() OVER (PARTITION BY {grain} ORDER BY available_at DESC) = 1
), candidates AS (
    SELECT {own}, NULL::TIMESTAMPTZ AS event_time, held_at, NULL::BIGINT AS modelled, NULL::BIGINT AS received,
        NULL::BIGINT AS pulled_before, false AS told_elsewhere, false AS opening, NULL AS body_sha256, true AS is_held
    FROM held
    UNION ALL
    SELECT {own}, event_time, NULL, epoch_us(modelled_at), epoch_us(received_at), epoch_us(pulled_before_at),
        told_elsewhere, opening, body_sha256, false
    FROM one
), standing AS (
    SELECT * FROM candidates
    QUALIFY NOT opening OR row_number() OVER (PARTITION BY {grain} ORDER BY {order}) = 1
), stepped AS (
    SELECT *, lag({value}) OVER w AS before, lag(opening) OVER w AS after_opening,
        row_number() OVER w = 1 AS is_first
    FROM standing WINDOW w AS (PARTITION BY {grain} ORDER BY {order})
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY {grain} ORDER BY {order}) AS number,
        CASE WHEN is_held THEN held_at
             WHEN (is_first OR after_opening) AND NOT told_elsewhere
                 AND (pulled_before IS NULL OR pulled_before < modelled) THEN modelled
             ELSE greatest(modelled, received) END AS counts_from
    FROM stepped WHERE is_first OR {value} IS DISTINCT FROM before
), dated AS (  -- versions of one fact are told apart by available_at: it rises by a microsecond at least
    SELECT *, make_timestamptz(max(counts_from - number) OVER w + number) AS available_at
    FROM numbered
    WINDOW w AS (PARTITION BY {grain} ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT {own}, event_time, available_at, $now::TIMESTAMPTZ AS ingested_at, body_sha256
FROM dated WHERE NOT is_held
UNION ALL
SELECT {own}, event_time,
    CASE WHEN pulled_before_at IS NULL OR pulled_before_at < modelled_at THEN modelled_at
         ELSE greatest(modelled_at, received_at) END,
    $now::TIMESTAMPTZ, body_sha256
FROM incoming ANTI JOIN several ON {several_fact}
ORDER BY {grain}, available_at
"""

# No body says a thing twice, so a day that one body tells, and the lake does not know, needs no comparing.
_MET_ON = """days AS (
    SELECT {day} AS day FROM incoming GROUP BY day HAVING min(place) < max(place)
    UNION
    SELECT {held_day} FROM read_parquet($facts, union_by_name = true) AS f SEMI JOIN incoming ON {held_day} = {day}
), met AS (
    SELECT incoming.* FROM incoming SEMI JOIN days ON {day} = days.day
),"""
_MET_ANYWHERE = "met AS (SELECT * FROM incoming),"
_DAYS = {"session": "{}", **dict.fromkeys(("bar_start", "ts_event", "snapshot"), "epoch_us({}) // 86_400_000_000")}

_ALONE = "SELECT *, false AS told_elsewhere FROM said"
# Another source may have told the same fact, in the lake or in this very run: what this one says instead comes later.
_AMONG_SOURCES = """
    SELECT said.*, known.other IS NOT NULL
        OR min(said.received_at) OVER (PARTITION BY {fact}) < said.received_at AS told_elsewhere
    FROM said LEFT JOIN (
        SELECT DISTINCT {held_fact}, true AS other
        FROM read_parquet($facts, union_by_name = true) AS f SEMI JOIN said ON {same_fact}
    ) AS known ON {known_fact}
"""


def query(dataset: Dataset) -> str:
    def columns(names: list[str] | tuple[str, ...], table: str = "") -> str:
        return ", ".join(f'{table}"{name}"' for name in names)

    def same(left: str, right: str, names: tuple[str, ...]) -> str:
        return " AND ".join(f'{left}."{name}" IS NOT DISTINCT FROM {right}."{name}"' for name in names)

    fact = tuple(name for name in dataset.grain if name != "source")
    among = _AMONG_SOURCES.format(
        fact=columns(fact, "said."), held_fact=columns(fact, "f."), same_fact=same("f", "said", fact),
        known_fact=same("said", "known", fact),
    )  # fmt: skip
    dated = next((name for name in fact if name in _DAYS), None)
    day, held_day = (_DAYS[dated].format(f'{table}."{dated}"') if dated else "" for table in ("incoming", "f"))
    return _SQL.format(
        met=_MET_ON.format(day=day, held_day=held_day) if dated else _MET_ANYWHERE, met_fact=same("f", "met", fact),
        fact=columns(fact), held_fact=columns(fact, "f."),
        several_fact=same("incoming", "several", fact),
        one=_ALONE if fact == dataset.grain else among,
        grain=columns(dataset.grain),
        own=columns(dataset.own.names),
        facts=columns(dataset.own.names, "f."),
        value=f"row({columns(dataset.values)})",
        same_grain=same("f", "o", dataset.grain),
        order="is_held DESC, received, opening DESC",
    )


def new_versions(name: str, incoming: Path, facts_glob: str, now: str) -> pa.RecordBatchReader:
    """The versions that `incoming` adds to the facts there are, in the order of their grain."""
    import duckdb

    # A first load of a whole market is sorted within this much memory, the rest beside the rows themselves.
    spill = {"memory_limit": "2GB", "temp_directory": str(incoming.parent / "spill")}
    # Nothing is summed and every order is total, so that two threads say what one would.
    connection = duckdb.connect(config={"threads": 2, **spill})
    connection.execute("SET TimeZone = 'UTC'")
    parameters = {"incoming": one_file(incoming), "facts": facts_glob, "now": now}
    return connection.sql(query(DATASETS[name]), params=parameters).to_arrow_reader(100_000)
