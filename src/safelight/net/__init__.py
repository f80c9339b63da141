"""Fetching what somebody else named: an HTTP client that cannot be led to private addresses, nor drowned."""
