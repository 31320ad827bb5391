"""HTTP in: parse, authorize, call one service, commit, answer."""
