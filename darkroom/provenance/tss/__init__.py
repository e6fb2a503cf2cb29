"""The default watermark, `tss`: keyed, tiled, spread over the spectrum, without weights."""
