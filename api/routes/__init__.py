"""One module a group of routes; routes never import each other."""
