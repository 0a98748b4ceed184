"""What needs a decision today, worst first."""
