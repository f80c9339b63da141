"""Providers: adapters that turn one generation into one HTTP call or one local rendering."""
