"""The inference contract of Hugging Face: one route a model, words or a picture in, the bytes of a picture out."""
