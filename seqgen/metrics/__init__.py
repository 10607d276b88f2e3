"""How good answers, translations and captions are."""
