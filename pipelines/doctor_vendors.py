"""The doctor's look at the vendors: keys and terms without asking anybody, and, on demand, one free question each."""

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from pipelines.doctor import SKEW_S, Finding
from pipelines.settings import Settings
from pipelines.vendors.hosts import KEY_VARIABLES, S3_VARIABLES, Hosts

_OFFERS = {"polygon": "equities", "cme": "futures"}


def findings(settings: Settings, environment: Mapping[str, str], *, online: bool) -> Iterator[Finding]:
    wanted = settings.source == "vendors"
    if settings.source.startswith("files:"):
        folder = Path(settings.source.removeprefix("files:")).expanduser()
        if not folder.is_dir():
            yield Finding("source", "problem", f"{folder} is no folder", "name one with --source files:DIR")
            return
    yield Finding("source", "ok", settings.source)
    present = {}
    for vendor, offer in _OFFERS.items():
        names = KEY_VARIABLES[vendor]
        present[vendor] = next((name for name in names if environment.get(name)), None)
        if present[vendor]:
            yield Finding(f"key {vendor}", "ok", f"{present[vendor]} is set")
        else:
            asked = wanted and (vendor == "polygon" or bool(settings.coverage.roots))
            state = "problem" if asked else "ok"
            advice = f"set {' or '.join(names)} for {offer}" if asked else ""
            why = "coverage without roots" if wanted else f"source {settings.source}"
            needed = "" if asked else f", and not needed by {why}"
            yield Finding(f"key {vendor}", state, f"not set{needed}", advice)
    if wanted:
        yield from _flat_files(settings, environment)
        yield _terms(settings)
    if online and any(present.values()):
        yield from _asked(environment, [vendor for vendor, name in present.items() if name])
        if wanted and present["polygon"]:
            yield from _entitled(settings, environment)
    elif any(present.values()):
        yield Finding("entitlements", "untested", "nobody was asked",
                      "`nightdesk doctor --online` asks each vendor one free question")  # fmt: skip


def _flat_files(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    if settings.coverage.flatfiles:
        missing = [" or ".join(names) for names in S3_VARIABLES if not any(environment.get(name) for name in names)]
        kinds = ", ".join(settings.coverage.flatfiles)
        if missing:
            yield Finding("key flat files", "problem", f"not set, and coverage names {kinds}",
                          f"set {' and '.join(missing)}: they are not the key of the REST interface")  # fmt: skip
        else:
            yield Finding("key flat files", "ok", f"set, for {kinds}")


def _terms(settings: Settings) -> Finding:
    if settings.coverage.details and "cme" not in settings.coverage.accept_terms:
        return Finding("terms", "advice", "CME's site not accepted: coverage.details is not asked",
                       "where its terms allow you that, --set coverage.accept_terms=cboe,cme")  # fmt: skip
    if "cboe" in settings.coverage.accept_terms:
        return Finding("terms", "ok", "Cboe's accepted")
    return Finding("terms", "advice", "Cboe's not accepted: no option chains",
                   "its delayed quotes are undocumented and for personal use; where that is yours, "
                   "--set coverage.accept_terms=cboe")  # fmt: skip


def _asked(environment: Mapping[str, str], vendors: list[str]) -> Iterator[Finding]:
    from pipelines.vendors.http import Ask, HttpTransport, VendorError
    from pipelines.vendors.replies import date_in

    questions = {
        "polygon": Ask("polygon", "marketstatus.json", "/v1/marketstatus/now"),
        "cme": Ask("cme", "datasets", "/v0/metadata.list_datasets"),
    }
    with HttpTransport(Hosts.from_environment(environment), attempts=2, timeout_s=10) as transport:
        for vendor in vendors:
            name = f"entitlement {vendor}"
            try:
                answer = transport.ask(questions[vendor])
            except VendorError as problem:
                yield Finding(name, "problem", str(problem), "check the key, its plan, and the network")
                continue
            if answer.body is None:
                yield Finding(name, "problem", answer.note, "the key is known, its plan does not hold this")
                continue
            yield Finding(name, "ok", "the key opens it; what the plan holds beyond that shows on the first night")
            if then := date_in(answer.date or ""):
                ahead_s = (dt.datetime.now(dt.UTC) - then).total_seconds()
                state = "problem" if abs(ahead_s) > SKEW_S else "ok"
                yield Finding(f"clock against {vendor}", state, f"{ahead_s:+.0f} s",
                              "set the machine's clock (NTP)" if state == "problem" else "")  # fmt: skip


def _entitled(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """One small question for each kind of data that the settings cover: a plan is sold by the kind."""
    from pipelines import calendars
    from pipelines.vendors.flatfiles import FlatFiles
    from pipelines.vendors.http import Ask, HttpTransport, VendorError

    day = calendars.last_closed_session(dt.datetime.now(dt.UTC))
    days, coverage = f"range/1/day/{day}/{day}?adjusted=false", settings.coverage
    targets = {"days": f"/v2/aggs/ticker/SPY/{days}", "lists": "/v3/reference/tickers?limit=1"}
    if coverage.indices:
        targets["indices"] = f"/v2/aggs/ticker/{quote(coverage.indices[0], safe='')}/{days}"
    if coverage.snapshots:
        targets["pictures of chains"] = f"/v3/snapshot/options/{quote(coverage.snapshots[0], safe='')}?limit=1"
    hosts = Hosts.from_environment(environment)
    with HttpTransport(hosts, attempts=2, timeout_s=10, rates=settings.rates.model_dump()) as transport:
        for what, target in targets.items():
            try:
                answer = transport.ask(Ask("polygon", f"{what}.json", target))
            except VendorError as problem:
                yield Finding(f"plan {what}", "problem", str(problem), "check the key, its plan, and the network")
                continue
            if answer.body is None:
                yield Finding(f"plan {what}", "problem", answer.note, f"buy it, or take {what} out of coverage")
            else:
                yield Finding(f"plan {what}", "ok", "the plan holds it")
    if coverage.flatfiles and hosts.flatfiles_id and hosts.flatfiles_secret:
        try:
            bucket = FlatFiles(hosts, timeout_s=10, retries=1)
            found = bucket.listed(coverage.flatfiles[0], day.replace(day=1), day)
            opened = not found or bucket.opens(found[-1])
        except VendorError as problem:
            yield Finding("plan flat files", "problem", str(problem), "check the S3 keys, the plan, and the network")
            return
        if not opened:
            yield Finding("plan flat files", "problem", f"{found[-1].key} is listed and not opened",
                          "buy it, or take it out of coverage.flatfiles")  # fmt: skip
        else:
            yield Finding("plan flat files", "ok", f"{len(found)} files of this month are listed")
