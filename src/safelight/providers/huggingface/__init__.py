"""Hugging Face: its inference router, which answers a request with the picture itself. Raw HTTP."""
