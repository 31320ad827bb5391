"""The field's terms and rules in plain Python: no Flask, no SQLAlchemy, no I/O."""
