"""Work that any process may do at any time: sweeping up after dead workers and passed deadlines."""
