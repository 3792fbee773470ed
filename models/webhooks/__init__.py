"""Endpoints, signatures, and which deliveries an event needs."""
