"""The workloads by hand in torch: nn.Module, torch.optim, tensors indexed on the device, one read at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.workloads import BATCH, CALLS, CHAIN, DEPARTMENTS, TAGS, WIDTH, WORDS, Job, data, steps

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def prepare(name: str) -> Job:
    """The job of a workload."""
    return _fit(name) if name in MODELS else JOBS[name]()


class Autoencoder(nn.Module):
    """W2."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(3),
            nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Conv2d(32, 16, 3), nn.ReLU(),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(1, 16, 3), nn.ReLU(), nn.ConvTranspose2d(16, 32, 3), nn.ReLU(),
            nn.Upsample(scale_factor=3),
            nn.ConvTranspose2d(32, 16, 3), nn.ReLU(), nn.ConvTranspose2d(16, 1, 3), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        return self.decoder(self.encoder(x).amax((2, 3)).view(-1, 1, 4, 4))


class Tickets(nn.Module):
    """W3."""

    def __init__(self) -> None:
        super().__init__()
        self.title_words, self.body_words = nn.Embedding(WORDS, 64), nn.Embedding(WORDS, 64)
        self.title, self.body = nn.LSTM(64, 128, batch_first=True), nn.LSTM(64, 32, batch_first=True)
        self.priority, self.department = nn.Linear(160 + TAGS, 1), nn.Linear(160 + TAGS, DEPARTMENTS)

    def forward(self, x: Any) -> Any:
        title = self.title(self.title_words(x["title"]))[1][0][0]
        body = self.body(self.body_words(x["body"]))[1][0][0]
        h = torch.cat([title, body, x["tags"]], 1)
        return self.priority(h), self.department(h)


class ResNet(nn.Module):
    """W4."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(3))
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())
            for _ in range(2)
        )
        self.last = nn.Sequential(nn.Conv2d(64, 64, 3), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10))

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(self.last(x).mean((2, 3)))


def mlp() -> nn.Module:
    """W1."""
    return nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def labels_loss(logits: Any, y: Any) -> Any:
    return F.cross_entropy(logits, y), (logits.argmax(1) == y).sum()


def one_hot_loss(logits: Any, y: Any) -> Any:
    return F.cross_entropy(logits, y), (logits.argmax(1) == y.argmax(1)).sum()


def image_loss(out: Any, y: Any) -> Any:
    return F.mse_loss(out, y), 0


def tickets_loss(out: Any, y: Any) -> Any:
    priority = F.binary_cross_entropy_with_logits(out[0], y["priority"])
    return priority + 0.2 * F.cross_entropy(out[1], y["department"]), 0


MODELS: dict[str, tuple[Callable[[], nn.Module], Callable[..., Any]]] = {
    "mlp": (mlp, labels_loss),
    "autoencoder": (Autoencoder, image_loss),
    "tickets": (Tickets, tickets_loss),
    "resnet": (ResNet, one_hot_loss),
}


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


def _fit(name: str) -> Job:
    make, loss_fn = MODELS[name]
    model = make().to(DEVICE)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    arrays, batch, number = data(name), BATCH[name], steps(name)

    def epoch() -> Any:
        x, y = map(to_device, arrays)
        model.train()
        total, hits = torch.zeros((), device=DEVICE), torch.zeros((), dtype=torch.long, device=DEVICE)
        for rows in torch.randperm(number * batch, device=DEVICE).split(batch):
            loss, hit = loss_fn(model(rows_of(x, rows)), rows_of(y, rows))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
            hits += hit
        return total.item(), hits.item()

    return Job(epoch, number)


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


def first() -> None:
    x = torch.from_numpy(np.ones((1, WIDTH), "float32")).to(DEVICE)
    nn.Linear(WIDTH, WIDTH).to(DEVICE)(x).detach().cpu().numpy()


JOBS: dict[str, Callable[[], Job]] = {
    "build": lambda: Job(_allocate),
    "add": _add,
    "dense": lambda: _chain(1),
    "chain": lambda: _chain(10),
    "predict1": _predict_one,
    "mlp-evaluate": _evaluate,
    "mlp-predict": _predict,
}
