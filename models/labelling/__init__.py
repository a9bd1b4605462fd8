"""Labels of single events and bets, each with its life: barriers, Target_5m, meta-labels, and weights for overlap."""
