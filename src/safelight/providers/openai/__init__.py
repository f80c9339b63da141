"""OpenAI, and servers that speak its API: pictures (made and edited) in one call, texts as they are written."""
