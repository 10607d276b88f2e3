"""Tasks of each kind of model: its work with texts, images and answers, whatever calculates its network."""
