"""The tape of a contract minute by minute: where price stands, who presses, and whether the horizons agree."""
