"""Saved models in the browser: a page, the HTTP interface under it, and OpenAI's completions."""
