"""Where pictures, inputs and provenance records live."""
