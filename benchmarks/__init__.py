"""How fast keras_fn is, beside real Keras and beside hand-written loops: `python -m benchmarks`. See README.md."""
