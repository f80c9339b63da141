"""Four ways to hear that a job is due. Today: the database itself, with nudges between processes."""
