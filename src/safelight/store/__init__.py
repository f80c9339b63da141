"""The truth on disk: tables, statements, transactions and migrations, on SQLite and Postgres alike."""
