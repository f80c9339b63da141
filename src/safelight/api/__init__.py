"""The HTTP front: translates requests into use cases and answers into JSON. It decides nothing."""
