"""The protocol of Stable Diffusion web UI (AUTOMATIC1111) and of its ControlNet extension, at the service's root."""
