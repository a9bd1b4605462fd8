"""Orders from intent to outcome."""

from live.orders.manager import OrderManager, client_order_id, client_order_ids
from live.orders.states import OrderError, OrderResult, State, Tracked
from live.ports import Broker as ExchangeClient
from live.ports import Order

__all__ = ["ExchangeClient", "Order", "OrderError", "OrderManager", "OrderResult", "State", "Tracked",
           "client_order_id", "client_order_ids"]
