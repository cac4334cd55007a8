"""The faults: what each does to a company at work."""
