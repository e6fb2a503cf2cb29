"""darkroom: a self-hosted Stable Diffusion service."""

__version__ = "0.1.0"
