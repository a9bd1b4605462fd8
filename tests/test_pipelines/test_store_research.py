"""Frames for research: as of a moment, whoever asks, and never of anything that came to be known later."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipelines import cli
from pipelines.store import FeatureStore, frame, read, research
from tests.test_pipelines.store_lived import NIGHTS, Lived, both_frames, labels

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.xdist_group("feast")]
FIRST, LAST = NIGHTS


def test_the_frame_as_of_the_day_before_a_restatement_is_the_one_built_then(lived: Lived) -> None:
    then = lived.moments[FIRST]
    assert both_frames(lived, labels(lived, then), then) == lived.frames[FIRST]
    # The same labels read with the later knowledge are another frame: the restatement is in the lake.
    assert lived.frames[LAST][0] == lived.frames[FIRST][0]  # every label of it lies before the restatement
    late = labels(lived, lived.moments[LAST])
    assert both_frames(lived, late, lived.moments[LAST])[0] != both_frames(lived, late, then)[0]


def test_the_command_reads_each_row_as_of_the_earlier_of_its_time_and_the_asked(lived: Lived, tmp_path: Path) -> None:
    late, early = lived.moments[LAST], lived.moments[FIRST]
    name = frame.decision_panel(lived.home, now=late).names[0]
    asked = pa.table({
        "instrument_id": [name, name, "nobody"], "label": [1.0, 2.0, 3.0],
        "event_timestamp": pa.array([late, early, late], pa.timestamp("us", tz="UTC")),
    })  # fmt: skip
    pq.write_table(asked, tmp_path / "labels.parquet")
    words = ["features", "get", "--home", str(lived.home.root), "--entities", str(tmp_path / "labels.parquet"),
             "--as-of", early.isoformat(), "--out", str(tmp_path / "f.parquet"), "--features"]  # fmt: skip
    ran = CliRunner().invoke(cli.app, [*words, "ret_5,iv30"])
    assert ran.exit_code == 0 and "3 rows" in ran.output, ran.output
    got = pq.read_table(tmp_path / "f.parquet").to_pylist()
    assert [row["label"] for row in got] == [1.0, 2.0, 3.0]
    assert got[0]["event_timestamp"] == late  # the label keeps its own time
    expected = [row for row in read.rows_as_of(lived.home, "equity_v1", early).to_pylist()
                if row["instrument_id"] == name][-1]  # fmt: skip
    assert [row["ret_5"] for row in got] == [expected["ret_5"], expected["ret_5"], None]
    assert got[0]["iv30"] is not None
    (tmp_path / "bad.csv").write_text("instrument_id,when\nx,2024-01-01\n")
    with pytest.raises(ValueError, match="no column event_timestamp"):
        research.features_get(lived.home, ["ret_5"], tmp_path / "bad.csv", None, tmp_path / "f")


def test_two_versions_of_one_feature_stand_side_by_side(lived: Lived, tmp_path: Path) -> None:
    pq.write_table(labels(lived, lived.moments[LAST]), tmp_path / "labels.parquet")
    research.features_get(lived.home, ["technical_v1:rsi", "technical_v2:rsi"], tmp_path / "labels.parquet", None,
                          tmp_path / "f")  # fmt: skip
    got = pq.read_table(tmp_path / "f")
    assert got.column_names == ["instrument_id", "event_timestamp", "technical_v1__rsi", "technical_v2__rsi"]
    wanted = ["technical_v1:rsi", "technical_v2:rsi", "ret_5"]
    told = FeatureStore(lived.home).compute("BBG0SBX00001", wanted, "2025-07-08")
    assert list(told.columns) == ["technical_v1__rsi", "technical_v2__rsi", "ret_5"]


def test_an_asset_s_features_are_what_was_known_of_it(lived: Lived) -> None:
    store, early = FeatureStore(lived.home.root), lived.moments[FIRST]
    rows = [row for row in read.rows_as_of(lived.home, "equity_v1", early).to_pylist()
            if row["instrument_id"] == "BBG0SBX00001"]  # fmt: skip
    told = store.compute("BBG0SBX00001", ["ret_5", "rsi_14", "iv30"], early)
    assert list(told.columns) == ["ret_5", "rsi_14", "iv30"] and told.index.is_monotonic_increasing
    of_bars = told.loc[[row["session"] for row in rows]]
    assert np.array_equal(of_bars["ret_5"].to_numpy(), np.array([row["ret_5"] for row in rows], float), equal_nan=True)
    assert told["iv30"].notna().sum() > 0
    # The corrected bar is another value for whoever asks later, by ticker as by permanent id.
    later = store.compute("BBG0SBX00001", ["ret_5"], lived.moments[LAST])["ret_5"]
    assert later[dt.date(2025, 7, 2)] != told["ret_5"][dt.date(2025, 7, 2)]
    from pipelines.lake import marts

    with marts.connect(lived.home) as con:
        ((ticker,),) = con.execute("select symbol from symbols where instrument_id = 'BBG0SBX00001' "
                                   "order by valid_from desc limit 1").fetchall()  # fmt: skip
    assert store.compute(ticker, ["ret_5"], lived.moments[LAST])["ret_5"].equals(later)
    assert list(store.compute("SPX", ["iv30"], early)["iv30"].dropna()) == list(told["iv30"].dropna())
    with pytest.raises(KeyError, match="no such feature"):
        store.compute("SPX", ["iv31"], early)
