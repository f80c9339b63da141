"""Use cases: one file each, plain functions over one transaction. Only here does a job change its status."""
