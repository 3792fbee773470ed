"""The classifier that every score shares: features, linear models, explanations, and training."""
