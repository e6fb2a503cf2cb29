"""`darkroom batch`: a file of prompts in, a folder of pictures out."""
