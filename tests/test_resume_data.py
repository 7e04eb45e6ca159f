"""The place in data that knows it by itself (`state_dict`, `load_state_dict`), and data that cannot be brought back."""

from __future__ import annotations

import pathlib
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from keras_fn import callbacks
from keras_fn.core.backend import active
from keras_fn.trainer.data import IterableSource
from keras_fn.trainer.data.state import packed, unpacked
from keras_fn.utils import PyDataset
from resuming import BATCH, DATA, ROWS, Kill, Killed, X, Y, as_new, cut_and_compare, same, train


class Reader:
    """Batches in an order of its own, which nobody else can bring back: it counts what is read."""

    read = 0

    def __init__(self) -> None:
        self.rng = np.random.default_rng()  # of another seed each time
        self.order: Any = None
        self.at = 0
        self.loaded = False

    def __len__(self) -> int:
        return ROWS // BATCH

    def __iter__(self) -> Iterator[Any]:
        if not self.loaded:
            self.order, self.at = self.rng.permutation(ROWS), 0
        self.loaded = False
        while self.at < len(self):
            rows = self.order[self.at * BATCH : (self.at + 1) * BATCH]
            self.at += 1
            type(self).read += 1
            yield X[rows], Y[rows]

    def state_dict(self) -> dict[str, Any]:
        return {"rng": self.rng.bit_generator.state, "order": self.order, "at": (self.at,), 3: b"x"}

    def load_state_dict(self, state: dict[Any, Any]) -> None:
        assert state[3] == b"x"
        self.rng.bit_generator.state = state["rng"]
        self.order, (self.at,) = state["order"], state["at"]
        self.loaded = True  # the next `iter` goes on; at the end of an epoch, it gives nothing


class Seeded(Reader):
    """The same for two runs that are to be compared."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(11)


class AfterTheEnd(Seeded):
    """At the end of an epoch, the `iter` after loading begins the next one at once."""

    def load_state_dict(self, state: dict[Any, Any]) -> None:
        super().load_state_dict(state)
        self.loaded = self.at < len(self)


class Reseeded(Seeded):
    """Made anew it would give another order: only its state brings it back."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        if type(self).made:
            self.rng = np.random.default_rng()
        type(self).made += 1


class ByItself(Seeded):
    """An iterator that is never begun anew."""

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        if self.order is None or self.at >= len(self):
            self.order, self.at = self.rng.permutation(ROWS), 0
        rows = self.order[self.at * BATCH : (self.at + 1) * BATCH]
        self.at += 1
        return X[rows], Y[rows]


DATA |= {
    "state": (Reseeded, {}),
    "state, at once": (AfterTheEnd, {"steps_per_epoch": 8}),
    "state, epochs end inside": (Seeded, {"steps_per_epoch": 5}),
    "state, by itself": (ByItself, {"steps_per_epoch": 7}),
    "state, class weights": (Seeded, {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}),
}



# --- data with generators of its own
class Kept(PyDataset):
    """Shuffled after each epoch, and noisy: both of a generator that it holds."""

    make: Any = staticmethod(lambda: np.random.default_rng(5))

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.rng = self.make()
        self.order = np.arange(ROWS)

    def __len__(self) -> int:
        return ROWS // BATCH

    def __getitem__(self, index: int) -> Any:
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        return X[rows] + self.rng.normal(size=(BATCH, 1)).astype("float32") / 10, Y[rows]

    def on_epoch_end(self) -> None:
        self.rng.shuffle(self.order)


class Old(Kept):
    """The same of NumPy's older kind."""

    make = staticmethod(lambda: np.random.RandomState(5))


class Global(Kept):
    """The same of NumPy's global generator, as many programs have it."""

    make = staticmethod(lambda: np.random)

    def __getitem__(self, index: int) -> Any:
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        return X[rows] + np.random.normal(size=(BATCH, 1)).astype("float32") / 10, Y[rows]


class Quiet(Kept):
    """Shuffled by itself; batches are made by workers, who draw nothing."""

    def __getitem__(self, index: int) -> Any:
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        return X[rows], Y[rows]


class Anew:
    """Begun anew each epoch, in an order of Python's generator that it holds."""

    def __init__(self) -> None:
        self.rng = random.Random(5)

    def __iter__(self) -> Iterator[Any]:
        order = self.rng.sample(range(ROWS), ROWS)
        for at in range(0, ROWS - BATCH + 1, BATCH):
            rows = order[at : at + BATCH]
            yield X[rows] + self.rng.random() / 10, Y[rows]


OWN: dict[str, Any] = {
    "own generator": (Kept, {}),
    "own generator of the older kind": (Old, {}),
    "global generator": (Global, {}),
    "workers": (lambda: Quiet(workers=2), {}),
    "begun anew": (Anew, {}),
    "begun anew, epochs end inside": (Anew, {"steps_per_epoch": 5}),
}
DATA |= {f"own, {name}": entry for name, entry in OWN.items()}

if active.backend.differentiable:

    @pytest.mark.parametrize("data", [name for name in DATA if name.startswith("own")])
    def test_data_that_draws(data: str, tmp_path: pathlib.Path) -> None:
        cut_and_compare(tmp_path, data)

    @pytest.mark.parametrize("epochs", [1, 2])
    def test_a_change_behind_the_first_batch_is_told(epochs: int, tmp_path: pathlib.Path) -> None:
        """In the epoch that was cut off, and in the one before."""
        offset = [0.0]

        class Changed(PyDataset):
            def __len__(self) -> int:
                return 4

            def __getitem__(self, index: int) -> Any:
                return X[:BATCH] + (offset[0] if index == 1 else 0), Y[:BATCH]

        def run() -> None:
            safe = callbacks.BackupAndRestore(tmp_path, save_freq=1 if epochs > 1 else "epoch", delete_checkpoint=False)
            after = [Kill(7)] if epochs > 1 and not offset[0] else []
            as_new().fit(Changed(), epochs=epochs + 1 if offset[0] else epochs, verbose=0, callbacks=[safe, *after])

        with suppress(Killed):
            run()
        offset[0] = 1.0
        with pytest.warns(UserWarning, match="Changed gives other batches"):
            run()

    @pytest.mark.parametrize("data", [name for name in DATA if name.startswith("state")])
    def test_data_that_knows_its_place(data: str, tmp_path: pathlib.Path) -> None:
        Reseeded.made = 0
        whole = train(tmp_path / "whole", data)
        Reseeded.made = 0
        rng, kills = random.Random(len(data)), 0
        while kills < 12:
            try:
                cut = train(tmp_path / "cut", data, kill=rng.randint(2, 6))
            except Killed:
                kills += 1
            else:
                break
        else:
            cut = train(tmp_path / "cut", data)
        assert kills >= 3
        same(whole, cut)

    def test_killed_after_each_number_of_batches(tmp_path: pathlib.Path) -> None:
        """Among them the last of an epoch, and the first of the next."""
        whole = train(tmp_path / "whole", "state, class weights")
        for kill in (7, 8, 9, 16):
            with pytest.raises(Killed):
                train(tmp_path / f"cut{kill}", "state, class weights", kill=kill)
            same(whole, train(tmp_path / f"cut{kill}", "state, class weights"))

    def test_nothing_is_read_again(tmp_path: pathlib.Path) -> None:
        Seeded.read = 0
        with pytest.raises(Killed):
            train(tmp_path, "state, epochs end inside", kill=10)
        assert Seeded.read == 10
        train(tmp_path, "state, epochs end inside")
        assert Seeded.read == 4 * 5

    def test_a_state_that_cannot_be_kept_is_told(tmp_path: pathlib.Path) -> None:
        class Strange(Seeded):
            def state_dict(self) -> dict[str, Any]:
                return {"rng": {"a": [object()]}}

        safe = callbacks.BackupAndRestore(tmp_path)
        with pytest.warns(UserWarning, match=r"place in the Strange cannot be kept: .*\['a'\]\[0\] is a object"):
            as_new().fit(Strange(), epochs=1, verbose=0, callbacks=[safe])

    def test_a_generator_that_goes_elsewhere_is_told(tmp_path: pathlib.Path) -> None:
        """What was seen is read again; if that is something else, nobody can bring the run back."""
        rng = np.random.default_rng(1)

        def data() -> Iterator[Any]:
            while True:
                rows = rng.integers(0, ROWS, BATCH)
                yield X[rows], Y[rows]

        def run(epochs: int) -> None:
            safe = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
            as_new().fit(data(), epochs=epochs, steps_per_epoch=3, verbose=0, callbacks=[safe])

        run(1)
        with pytest.warns(UserWarning, match="generator gives other batches than it gave to the run that was cut off"):
            run(2)


def test_states_go_through_plain_data() -> None:
    """And come back as they were."""
    tensor = active.backend.convert(np.arange(3, dtype="uint8"), "uint8")
    state = {"a": [1, (2.5, None)], 7: {"b": b"\x00\xff", "c": np.arange(3)}, "t": tensor, "n": np.int64(3)}
    again = unpacked(packed(state))
    assert again["a"] == [1, (2.5, None)] and again[7]["b"] == b"\x00\xff" and again["n"] == 3
    assert again[7]["c"].tolist() == [0, 1, 2]
    assert active.backend.is_tensor(again["t"]) and active.backend.to_numpy(again["t"]).tolist() == [0, 1, 2]


def test_data_without_state_has_none() -> None:
    assert IterableSource([(X, Y)], None).state() is None
