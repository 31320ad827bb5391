"""RQ in, or threads: tasks are named, idempotent triggers; what there is to do stands in the database."""
