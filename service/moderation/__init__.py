"""What moderators do, the same for the console and the API."""
