"""How a future's session was auctioned: against its mean price and its volume levels, by whom, and when in the day."""
