"""The actions of moderators, the same for the console and the API."""
