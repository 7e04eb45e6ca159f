"""Single ops: what a call costs beside the framework's own call, and beside Keras."""
