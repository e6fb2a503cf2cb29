"""What the benchmark of the watermark is made of: pictures, what happens to them, and the marks of others."""
