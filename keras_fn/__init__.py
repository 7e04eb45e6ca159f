"""keras_fn."""
