"""Tryton, an ERP: its records become events, exactly once in the log for as long as the log keeps their keys."""
