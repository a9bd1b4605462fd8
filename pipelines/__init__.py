"""When: orchestration, data, judgement and publication. Everything that runs by night."""
