"""Look for worst cases: how the cost of everything that reads a stranger's text grows with that
text. Run by `make fuzz`.
"""
