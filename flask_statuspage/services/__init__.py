"""The use cases: where storage, probing, delivery and documents meet.

Services work in the host's session and flush; they never commit. Whoever calls them does: a view, a task, the host.
"""
