"""What every route needs: errors, keys, limits, tokens, headers."""
