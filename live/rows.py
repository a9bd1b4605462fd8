"""The rows that a session is full of, laid out by hand: the text that `canonical.text` makes, in half its time."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any

from live import canonical
from live.risk.screen import Checks, Looked

Payload = dict[str, Any]
_quoted = canonical.quoted


def text(kind: str, payload: Payload) -> str:
    """The canonical text of a row. One that is not of its kind's usual shape is written the long way."""
    laid = _LAID.get(kind)
    if laid is not None:
        try:
            made = laid(payload)
        except (KeyError, TypeError, AttributeError):
            made = None
        if made is not None:
            return made
    return canonical.text(payload)


# Each adds its floats up: a sum is finite only where each of them is, and what is no float is not written here.


_OF_NUMBERS = "0123456789.e+-, []"  # a list whose text has nothing else is told by Python as it is by JSON


def _signal(row: Payload) -> str | None:
    equity, seq, items = row["equity"], row["bundle_seq"], row["items"]
    if len(row) != 5 or len(items) != 1 or type(equity) is not float or type(seq) is not int or not isfinite(equity):
        return None
    [(name, item)] = items.items()
    close, side, memory, held, target = item["close"], item["side"], item["memory"], item["held"], item["target"]
    told = repr(memory) if type(memory) is list else "no list"
    if (len(item) != 5 or not type(close) is type(side) is float or not type(held) is type(target) is int
            or told.strip(_OF_NUMBERS) or not isfinite(close + side)):
        return None
    return (f'{{"bundle_seq":{seq},"decision_id":{_quoted(row["decision_id"])},"equity":{equity!r},"items":{{'
            f'{_quoted(name)}:{{"close":{close!r},"held":{held},"memory":{told.replace(", ", ",")},'
            f'"side":{side!r},"target":{target}}}}},"state":{_quoted(row["state"])}}}')


def _intent(row: Payload) -> str | None:
    limit, reference, asked, quantity = row["limit_price"], row["reference_price"], row["asked"], row["quantity"]
    reducing, named = "reduce_only" in row, "kind" in row  # it is not where it is for the opening print
    if (len(row) != 9 + reducing + named or not type(limit) is type(reference) is float
            or not isfinite(limit + reference)
            or not type(asked) is type(quantity) is int or (reducing and row["reduce_only"] is not True)):
        return None
    told = row["checks"]
    if type(told) is Checks:
        checks = _looked(told.looked)
    elif type(told) is list:
        checks = ",".join(map(_check, told))
    else:
        return None
    kind = f'"kind":{_quoted(row["kind"])},' if named else ""
    return (f'{{"asked":{asked},"checks":[{checks}],"decision_id":{_quoted(row["decision_id"])},'
            f'"instrument_id":{_quoted(row["instrument_id"])},{kind}"limit_price":{limit!r},'
            f'"order_id":{_quoted(row["order_id"])},"quantity":{quantity},{_REDUCING if reducing else ""}'
            f'"reference_price":{reference!r},"symbol":{_quoted(row["symbol"])}}}')


_REDUCING = '"reduce_only":true,'


def _check(one: Payload) -> str:
    """One limit that was looked at. Where it stands is the same for many orders."""
    limit, value, threshold, passed = one["limit"], one["value"], one["threshold"], one["passed"]
    if len(one) != 4 or type(passed) is not bool:
        return canonical.text(one)
    number = repr(value) if type(value) is int or (type(value) is float and isfinite(value)) else canonical.text(value)
    return f'{_head(limit, passed, threshold, "" if threshold else str(threshold))}{number}}}'


@lru_cache(256, typed=True)
def _head(limit: str, passed: bool, threshold: Any, zero: str) -> str:  # two zeros are equal and differ in their text
    return f'{canonical.text({"limit": limit, "passed": passed, "threshold": threshold})[:-1]},"value":'


def _looked(looked: Sequence[Looked]) -> str:
    """The limits of one order, which are those of many others: where they stand is laid out once."""
    if not looked:
        return ""
    limits, values, thresholds, passed = zip(*looked, strict=True)
    numbers = tuple(map(float, values))
    whole = isfinite(sum(numbers))
    return _frame(limits, thresholds, passed) % tuple(
        map(repr, numbers) if whole else [canonical.text(canonical.plain(number)) for number in numbers])


@lru_cache(512)
def _frame(limits: tuple[str, ...], thresholds: tuple[float, ...], passed: tuple[bool, ...]) -> str:
    told = [canonical.text({"limit": limit, "passed": held, "threshold": canonical.plain(threshold)})[:-1]
            for limit, threshold, held in zip(limits, thresholds, passed, strict=True)]
    return ",".join(f'{one.replace("%", "%%")},"value":%s}}' for one in told)


def _ack(row: Payload) -> str | None:
    if len(row) != 4 or type(row["accepted"]) is not bool:
        return None
    return (f'{{"accepted":{"true" if row["accepted"] else "false"},"order_id":{_quoted(row["order_id"])},'
            f'"reason":{_quoted(row["reason"])},"state":{_quoted(row["state"])}}}')


def _fill(row: Payload) -> str | None:
    cost, price, quantity, costs = row["cost"], row["price"], row["quantity"], row["costs"]
    fee, impact, spread = costs["fee"], costs["impact"], costs["spread"]
    if (len(row) != 7 or len(costs) != 3 or type(quantity) is not int
            or not type(cost) is type(price) is type(fee) is type(impact) is type(spread) is float
            or not isfinite(cost + price + fee + impact + spread)):
        return None
    return (f'{{"cost":{cost!r},"costs":{{"fee":{fee!r},"impact":{impact!r},"spread":{spread!r}}},'
            f'"instrument_id":{_quoted(row["instrument_id"])},"order_id":{_quoted(row["order_id"])},'
            f'"price":{price!r},"quantity":{quantity},"state":{_quoted(row["state"])}}}')


def _trade(row: Payload) -> str | None:
    r, best, worst, slipped = row["R"], row["mfe_R"], row["mae_R"], row["slippage_bp"]
    costs, entry, left, lasted, pnl = row["costs"], row["entry"], row["exit"], row["holding_min"], row["pnl"]
    floats = (r, best, worst, slipped, costs, entry, left, lasted, pnl)
    shares, side = row["shares"], row["side"]
    if len(row) != 16 or {*map(type, floats)} != {float} or not isfinite(sum(floats)) or not (
            type(shares) is type(side) is int):
        return None
    return (f'{{"R":{r!r},"closed_at":{_quoted(row["closed_at"])},"costs":{costs!r},'
            f'"decision_id":{_quoted(row["decision_id"])},"entry":{entry!r},"exit":{left!r},"holding_min":{lasted!r},'
            f'"instrument_id":{_quoted(row["instrument_id"])},"mae_R":{worst!r},"mfe_R":{best!r},'
            f'"opened_at":{_quoted(row["opened_at"])},"pnl":{pnl!r},"reason":{_quoted(row["reason"])},'
            f'"shares":{shares},"side":{side},"slippage_bp":{slipped!r}}}')


_LAID: dict[str, Callable[[Payload], str | None]] = {
    "signal": _signal, "intent": _intent, "ack": _ack, "fill": _fill, "trade": _trade}
