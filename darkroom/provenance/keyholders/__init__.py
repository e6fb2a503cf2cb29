"""Keys that are in none of our processes: who holds them signs for us."""
