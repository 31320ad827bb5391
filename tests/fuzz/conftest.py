from __future__ import annotations

from importlib.util import find_spec

# It brings much along, so only the environment `fuzz` has it; there nothing to run is a failure.
collect_ignore = [] if find_spec("schemathesis") else ["test_fuzz.py"]
