"""Orders from intent to outcome."""

from live.orders.manager import OrderError, OrderManager, State, client_order_id

__all__ = ["OrderError", "OrderManager", "State", "client_order_id"]
