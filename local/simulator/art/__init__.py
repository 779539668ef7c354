"""Pictures that look like something: scenes from words, drawn with shapes, in a style."""
