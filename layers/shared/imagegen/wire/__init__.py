"""The JSON of our own routes: the requests and the responses of each."""
