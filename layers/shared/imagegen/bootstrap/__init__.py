"""The one place where things are built: cached factories, a file for each function."""
