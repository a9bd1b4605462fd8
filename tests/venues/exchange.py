"""What every test venue is inside: orders, positions and cash in an SQLite ledger that outlives its customers."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS arrivals (n INTEGER PRIMARY KEY, client_id TEXT NOT NULL, taken INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    n INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, symbol TEXT NOT NULL, quantity REAL NOT NULL,
    limit_price REAL, state TEXT NOT NULL, filled REAL NOT NULL DEFAULT 0, paid REAL NOT NULL DEFAULT 0,
    fees REAL NOT NULL DEFAULT 0, at_us INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS executions (
    n INTEGER PRIMARY KEY, order_n INTEGER NOT NULL, quantity REAL NOT NULL, price REAL NOT NULL, fee REAL NOT NULL,
    at_us INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS positions (symbol TEXT PRIMARY KEY, quantity REAL NOT NULL);
CREATE TABLE IF NOT EXISTS money (cash REAL NOT NULL);
"""


@dataclass
class Kept:
    """One order as the exchange keeps it; `n` is its own number for it."""

    n: int
    client_id: str
    symbol: str
    quantity: float
    limit_price: float | None
    state: str
    filled: float
    paid: float
    fees: float
    at_us: int
    reason: str

    @property
    def average(self) -> float:
        return self.paid / self.filled if self.filled else 0.0


class Duplicate(ValueError):
    """An order with this client id was taken before."""


class Exchange:
    def __init__(self, ledger: Path | str, cash: float = 10_000_000.0) -> None:
        self.db = sqlite3.connect(ledger, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA synchronous=OFF")  # it is never the one that is killed
        self.db.executescript(_SCHEMA)
        if self.db.execute("SELECT count(*) FROM money").fetchone() == (0,):
            self.db.execute("INSERT INTO money VALUES (?)", (cash,))

    def close(self) -> None:
        self.db.close()

    def submit(self, client_id: str, symbol: str, quantity: float, limit_price: float | None, refuse: str = "") -> Kept:
        """Take an order, or refuse it; an id that was taken before is a Duplicate, and is written down as one."""
        known = self.find(client_id)
        self.db.execute("INSERT INTO arrivals (client_id, taken) VALUES (?, ?)", (client_id, int(known is None)))
        if known is not None:
            raise Duplicate(client_id)
        self.db.execute("INSERT INTO orders (client_id, symbol, quantity, limit_price, state, reason) "
                        "VALUES (?, ?, ?, ?, ?, ?)",
                        (client_id, symbol, quantity, limit_price, "rejected" if refuse else "open", refuse))
        return self[client_id]

    def find(self, client_id: str) -> Kept | None:
        row = self.db.execute("SELECT * FROM orders WHERE client_id = ?", (client_id,)).fetchone()
        return Kept(*row) if row else None

    def __getitem__(self, client_id: str) -> Kept:
        found = self.find(client_id)
        assert found is not None, f"the exchange has no order {client_id}"
        return found

    def orders(self, *, working: bool = False) -> list[Kept]:
        where = " WHERE state = 'open'" if working else ""
        return [Kept(*row) for row in self.db.execute(f"SELECT * FROM orders{where} ORDER BY n")]

    def cancel(self, client_id: str, reason: str = "cancelled by the client") -> bool:
        done = self.db.execute("UPDATE orders SET state = 'cancelled', reason = ? WHERE client_id = ? "
                               "AND state = 'open'", (reason, client_id))
        return done.rowcount == 1

    def trade(self, symbol: str, price: float, at_us: int = 0, most: float = float("inf"), fee: float = 0.0) -> int:
        """A print: working orders of the symbol fill if their limit allows, at most so many units each."""
        filled = 0
        for order in self.orders(working=True):
            beyond = order.limit_price is not None and (price - order.limit_price) * order.quantity > 0
            if order.symbol != symbol or beyond:
                continue
            left = order.quantity - order.filled
            part = max(-most, min(most, left))
            self.db.execute("BEGIN")
            self.db.execute("UPDATE orders SET filled = filled + ?, paid = paid + ?, fees = fees + ?, at_us = ?, "
                            "state = ? WHERE n = ?",
                            (part, part * price, fee, at_us, "filled" if part == left else "open", order.n))
            self.db.execute("INSERT INTO executions (order_n, quantity, price, fee, at_us) VALUES (?, ?, ?, ?, ?)",
                            (order.n, part, price, fee, at_us))
            self.move(symbol, part, -part * price - fee)
            self.db.execute("COMMIT")
            filled += 1
        return filled

    def move(self, symbol: str, quantity: float, cash: float) -> None:
        """A change of the books, also one that no order explains."""
        self.db.execute("INSERT INTO positions VALUES (?, ?) ON CONFLICT (symbol) DO UPDATE "
                        "SET quantity = quantity + excluded.quantity", (symbol, quantity))
        self.db.execute("UPDATE money SET cash = cash + ?", (cash,))

    def executions(self) -> list[tuple[int, int, float, float, float, int]]:
        """Number, the order's number, quantity, price, fee and time of each."""
        return list(self.db.execute("SELECT * FROM executions ORDER BY n"))

    def positions(self) -> dict[str, float]:
        return dict(self.db.execute("SELECT symbol, quantity FROM positions WHERE quantity != 0 ORDER BY symbol"))

    def cash(self) -> float:
        return float(self.db.execute("SELECT cash FROM money").fetchone()[0])

    def arrivals(self) -> list[tuple[str, bool]]:
        """Every submission that arrived, and whether it was taken."""
        return [(name, bool(taken)) for name, taken in
                self.db.execute("SELECT client_id, taken FROM arrivals ORDER BY n")]
