"""Why one job waits, runs or ended as it did: its rows joined into a timeline and one verdict, in three voices."""
