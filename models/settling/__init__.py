"""How comments change status, and what was decided before."""
