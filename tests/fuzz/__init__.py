"""Files with bytes changed at random, loaded in child processes: each is refused with a FileError, or loads the same.

    PYTHONPATH=tests KERAS_BACKEND=numpy python -m fuzz 100000            # mutants of all kinds
    PYTHONPATH=tests KERAS_BACKEND=numpy python -m fuzz 1 --kind keras --first 1234   # one again
"""
