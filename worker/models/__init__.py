"""Checkpoints: loaded from folders, kept in memory, never fetched from a hub."""

import os

# Read by huggingface_hub and diffusers when they are first imported, which every module below this one does later.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["DIFFUSERS_DISABLE_REMOTE_CODE"] = "1"
