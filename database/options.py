"""Execution options of a connection: what its next transaction is for."""

#: It writes.
WRITES = "baton_writes"

#: It reads, and every query sees the same state.
SNAPSHOT = "baton_snapshot"
