"""Anthropic's Messages API: texts, as they are written."""
