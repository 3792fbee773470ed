"""Publishing: write a thread's pages and feed to storage."""
