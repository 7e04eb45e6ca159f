"""The workloads by hand in torch: nn.Module, torch.optim, tensors indexed on the device, one read at the end."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.models_torch import MODELS, labels_loss, mlp, saved, vgg
from benchmarks.sources import SOURCE_STEPS, source
from benchmarks.workloads import (
    BATCH,
    CALLS,
    CHAIN,
    SOURCES,
    VARIANTS,
    WIDTH,
    Job,
    data,
    data_of,
    image,
    model_of,
    resnet50_weights,
    steps,
)

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def prepare(name: str) -> Job:
    """The job of a workload."""
    if name in SOURCES:
        return _fit_on(name)
    return _fit(name) if name in MODELS or name in VARIANTS else JOBS[name]()


def to_device(x: Any) -> Any:
    """Tensors; class labels as torch wants them, images with the channels in front (a view)."""
    if isinstance(x, dict):
        return {k: to_device(v) for k, v in x.items()}
    tensor = torch.from_numpy(x).to(DEVICE)
    if tensor.dtype == torch.int32:
        return tensor.long()
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor


def rows_of(x: Any, rows: Any) -> Any:
    return {k: v[rows] for k, v in x.items()} if isinstance(x, dict) else x[rows]


def _trainer(name: str) -> tuple[nn.Module, Callable[[Any, Any], Any]]:
    """The model, and a step that trains on a batch and gives loss and hits."""
    make, loss_fn = MODELS[model_of(name)]
    model = make().to(DEVICE)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)

    def step(x: Any, y: Any) -> Any:
        loss, hit = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach(), hit

    return model, step


def _epoch(step: Callable[[Any, Any], Any], batches: Iterator[Any]) -> Any:
    total, hits = torch.zeros((), device=DEVICE), torch.zeros((), dtype=torch.long, device=DEVICE)
    for x, y in batches:
        loss, hit = step(x, y)
        total += loss
        hits += hit
    return total.item(), hits.item()


def _fit(name: str) -> Job:
    model, step = _trainer(name)
    kind = data_of(name)
    arrays, batch, number = data(kind), BATCH[kind], steps(kind)

    def run() -> Any:
        x, y = map(to_device, arrays)
        model.train()
        order = torch.randperm(number * batch, device=DEVICE).split(batch)
        return _epoch(step, ((rows_of(x, rows), rows_of(y, rows)) for rows in order))

    return Job(run, number)


def _fit_on(name: str) -> Job:
    model, step = _trainer(name)
    batches = source(name)

    def run() -> Any:
        model.train()
        return _epoch(step, (tuple(map(_taken, batch)) for batch in batches()))

    return Job(run, SOURCE_STEPS)


def _taken(x: Any) -> Any:
    """A part of a batch, of whichever kind."""
    tensor = (x if isinstance(x, torch.Tensor) else torch.tensor(np.asarray(x))).to(DEVICE)
    return tensor.long() if tensor.dtype == torch.int32 else tensor


def _train_on_batch() -> Job:
    _, step = _trainer("mlp")
    x, y = (a[:1] for a in data("mlp-batch1"))

    def run() -> None:
        for _ in range(CALLS):
            loss, hit = step(to_device(x), to_device(y))
            loss.item(), hit.item()

    return Job(run, CALLS)


def _vgg(read: bool) -> Callable[[], Job]:
    """On a tensor, or from an array to an array."""

    def prepare() -> Job:
        model, array = vgg().to(DEVICE).eval(), image()
        tensor = to_device(array)

        @torch.inference_mode()
        def run() -> Any:
            return model(to_device(array) if read else tensor).cpu().numpy()

        return Job(run)

    return prepare


def _save() -> Job:
    model, folder = saved().to(DEVICE), tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "model.pt")

    def run() -> None:
        torch.save(model.state_dict(), file)
        _ = folder  # it lives as long as the job

    return Job(run, weigh=True)


def _load() -> Job:
    folder = tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "model.pt")
    torch.save(saved().state_dict(), file)

    def run() -> None:
        with torch.device("meta"):
            model = saved()
        model.load_state_dict(torch.load(file, map_location=DEVICE), assign=True)
        next(reversed(model.state_dict().values())).cpu().numpy()
        _ = folder

    return Job(run, weigh=True)


def _evaluate() -> Job:
    model, arrays, batch = mlp().to(DEVICE).eval(), data("mlp"), BATCH["mlp"]

    @torch.inference_mode()
    def run() -> Any:
        x, y = map(to_device, arrays)
        total, hits = torch.zeros((), device=DEVICE), torch.zeros((), dtype=torch.long, device=DEVICE)
        for xb, yb in zip(x.split(batch), y.split(batch), strict=True):
            loss, hit = labels_loss(model(xb), yb)
            total += loss
            hits += hit
        return total.item(), hits.item()

    return Job(run, steps("mlp"))


def _predict() -> Job:
    model, x = mlp().to(DEVICE).eval(), data("mlp")[0]

    @torch.inference_mode()
    def run() -> Any:
        return torch.cat([model(b) for b in torch.from_numpy(x).to(DEVICE).split(BATCH["mlp"])]).cpu().numpy()

    return Job(run, steps("mlp"))


def _predict_one() -> Job:
    model, x = mlp().to(DEVICE).eval(), data("mlp")[0][:1]

    @torch.inference_mode()
    def run() -> None:
        for _ in range(CALLS):
            model(torch.from_numpy(x).to(DEVICE)).cpu().numpy()

    return Job(run, CALLS)


def _repeated(call: Callable[[], Any]) -> Job:
    def run() -> None:
        for _ in range(CALLS):
            out = call()
        out.detach().cpu().numpy()

    return Job(run, CALLS)


def _add() -> Job:
    x = torch.ones(1, device=DEVICE)
    return _repeated(lambda: torch.add(x, x))


def _on_square(call: Callable[[Any], Any]) -> Callable[[], Job]:
    x = torch.ones((WIDTH, WIDTH), device=DEVICE)
    return lambda: _repeated(lambda: call(x))


def _chain(length: int) -> Job:
    model = nn.Sequential(*(nn.Linear(WIDTH, WIDTH) for _ in range(length))).to(DEVICE)
    x = torch.ones((1, WIDTH), device=DEVICE)
    return _repeated(lambda: model(x))


def _allocate() -> Any:
    limit = (3 / WIDTH) ** 0.5
    made = []
    for _ in range(CHAIN):
        kernel = torch.empty(WIDTH, WIDTH, device=DEVICE).uniform_(-limit, limit)
        made.append((nn.Parameter(kernel), nn.Parameter(torch.zeros(WIDTH, device=DEVICE))))
    return made[-1][1].detach().cpu().numpy()


def _resnet50() -> Any:
    made = []
    for shape, value in resnet50_weights():
        w = torch.empty(shape, device=DEVICE)
        limit = (6 / (shape[-1] + w[..., 0].numel())) ** 0.5
        made.append(nn.Parameter(w.uniform_(-limit, limit) if value is None else w.fill_(value)))
    return made[-1].detach().cpu().numpy()


def first() -> None:
    x = torch.from_numpy(np.ones((1, WIDTH), "float32")).to(DEVICE)
    nn.Linear(WIDTH, WIDTH).to(DEVICE)(x).detach().cpu().numpy()


JOBS: dict[str, Callable[[], Job]] = {
    "build": lambda: Job(_allocate),
    "build-resnet50": lambda: Job(_resnet50),
    "add": _add,
    "matmul": _on_square(lambda x: torch.matmul(x, x)),
    "sum": _on_square(torch.sum),
    "concatenate": _on_square(lambda x: torch.cat([x, x])),
    "softmax": _on_square(lambda x: torch.softmax(x, -1)),
    "dense": lambda: _chain(1),
    "chain": lambda: _chain(10),
    "predict1": _predict_one,
    "predict-on-batch1": _predict_one,
    "train-on-batch1": _train_on_batch,
    "vgg-call": _vgg(read=False),
    "vgg-predict": _vgg(read=True),
    "save": _save,
    "load": _load,
    "mlp-evaluate": _evaluate,
    "mlp-predict": _predict,
}
