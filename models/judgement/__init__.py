"""What a check finds and what a policy makes of it: pure, no database."""
