"""Show the world: every public document is a pure function of one snapshot."""
