"""Commands that grew past a few lines, each thin over its room."""
