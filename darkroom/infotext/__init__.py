"""The text that Stable Diffusion web UI (A1111) writes into pictures, and the names it has for things."""
