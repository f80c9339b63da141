"""What happened to a job: reading the event log, and waking those who wait for news."""
