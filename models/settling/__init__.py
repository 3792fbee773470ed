"""How comments change status, and the log of earlier decisions."""
