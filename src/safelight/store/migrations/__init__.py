"""How the schema came to be, one file per step. Read by Alembic through `store/migrate.py`; there is no env.py."""
