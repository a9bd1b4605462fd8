"""The API as its own OpenAPI tells it: fuzzed from it without an error of ours, and every answer as promised."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from live.api import make_app
from live.docs_page import docs_html
from live.serving import served
from tests.test_live.test_api import TOKEN, account, traded

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
EXAMPLES = int(os.environ.get("NIGHTDESK_FUZZ_REQUESTS", "100"))  # `make proof-api` asks for 100,000 in all


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("schema")
    bundles = traded(folder)
    with served(account(folder, bundles), TOKEN, rate=1e9, burst=1e9) as port:
        yield f"http://127.0.0.1:{port}"


api = schemathesis.openapi.from_dict(make_app(account(Path("nowhere"))).openapi())
OPERATIONS = {one.label: one for one in (found.ok() for found in api.get_all_operations())}


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_that_the_schema_can_think_of_is_an_error_of_ours(base: str, label: str) -> None:
    @settings(max_examples=max(1, EXAMPLES // len(OPERATIONS)), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=st.one_of(*(OPERATIONS[label].as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def ask(case: Case) -> None:
        answer = case.call(base_url=base, headers=HEADERS)
        case.validate_response(answer, checks=[
            not_a_server_error, status_code_conformance, response_schema_conformance])

    ask()


def test_every_path_is_told_with_its_answers() -> None:
    told = make_app(account(Path("nowhere"))).openapi()
    assert set(told["paths"]) >= {"/status", "/positions", "/pnl", "/decisions", "/limits", "/bundle", "/passport/{id}",
                                  "/kill", "/metrics"}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            assert {"200", "401", "403", "413", "429", "503"} <= set(operation["responses"]), (method, path)
            (kind, content), = operation["responses"]["200"]["content"].items()
            assert content["schema"], (path, kind)
    page, policy = docs_html(told)
    assert all(path in page for path in told["paths"]) and "<script" not in page and "unsafe" not in policy
