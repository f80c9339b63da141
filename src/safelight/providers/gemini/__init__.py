"""Google's Gemini API: texts, as they are written."""
