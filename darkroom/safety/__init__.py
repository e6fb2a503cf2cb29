"""What looks at words and pictures before they are made or shown, and how sure it must be."""
