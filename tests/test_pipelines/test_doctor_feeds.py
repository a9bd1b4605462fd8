"""The doctor's word on what coverage names: the flat files' own keys, and terms that were not accepted."""

from pipelines import doctor_vendors, settings
from tests import OWN


def found(environment: dict[str, str], **coverage: str) -> dict[str, tuple[str, str]]:
    chosen = settings.load({"source": "vendors", "coverage": coverage}, environment=OWN)
    return {one.name: (one.state, one.advice) for one in doctor_vendors.findings(chosen, environment, online=False)}


def test_flat_files_want_their_own_keys() -> None:
    assert "key flat files" not in found({})
    state, advice = found({"MASSIVE_S3_ACCESS_KEY_ID": "x"}, flatfiles="us_stocks_sip/day_aggs_v1")["key flat files"]
    assert state == "problem" and "MASSIVE_S3_SECRET_ACCESS_KEY" in advice and "ACCESS_KEY_ID" not in advice
    both = {"POLYGON_S3_ACCESS_KEY_ID": "x", "POLYGON_S3_SECRET_ACCESS_KEY": "y"}
    assert found(both, flatfiles="us_stocks_sip/day_aggs_v1")["key flat files"][0] == "ok"


def test_terms_that_coverage_needs_are_named() -> None:
    assert "accept_terms=cboe,cme" in found({}, details="GC")["terms"][1]
    assert found({}, details="GC", accept_terms="cboe,cme")["terms"][0] == "ok"
