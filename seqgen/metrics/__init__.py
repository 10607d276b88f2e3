"""Metrics of classification, translation and captioning."""
