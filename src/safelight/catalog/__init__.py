"""What can be generated: models, their parameters, prices, aliases and retirement dates (TOML read by pydantic)."""
