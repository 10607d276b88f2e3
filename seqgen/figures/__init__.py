"""Pictures and pages of what a model does: attention, captions, confusion, mistakes."""
