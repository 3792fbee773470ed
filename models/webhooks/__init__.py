"""Endpoints, signatures, and which deliveries an event owes."""
