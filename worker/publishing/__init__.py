"""Publishing: a thread's pages and feed, written to storage."""
