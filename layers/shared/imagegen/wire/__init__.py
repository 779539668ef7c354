"""The JSON of our own routes: what enters and leaves each of them."""
