"""The Images API of OpenAI, under /v1: what its SDKs and all that imitates it send."""
