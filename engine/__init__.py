"""Stockline: one live truth of inventory per SKU and location."""

__version__ = "0.1.0"
