"""What readers can do besides posting: say who they are, edit, object, report, and get mail."""
