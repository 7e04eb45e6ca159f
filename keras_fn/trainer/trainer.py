"""`Trainer`."""


class Trainer:
    def __init__(self):
        pass

    def _kf_program_changed(self):
        pass
