"""The models by hand in torch: nn.Module with the fused layers, attention by scaled_dot_product_attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.workloads import (
    BLOCKS,
    DEPARTMENTS,
    FILMS,
    GATED_LAYERS,
    GATED_WIDTH,
    GENRES,
    HEADS,
    HIDDEN,
    MODEL_WIDTH,
    SAVED_LAYERS,
    SAVED_WIDTH,
    SIGNALS,
    TAGS,
    TASTE,
    TOKENS,
    UNET_CLASSES,
    UNET_FILTERS,
    UNITS,
    USERS,
    VGG_CLASSES,
    VGG_FILTERS,
    WORDS,
    vgg_channels,
)


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


# --- models of the reference page
class Block(nn.Module):
    """Attention and two dense layers, each normalized before and added to what came in."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(MODEL_WIDTH, 1e-3), nn.LayerNorm(MODEL_WIDTH, 1e-3)
        self.project, self.out = nn.Linear(MODEL_WIDTH, 3 * MODEL_WIDTH), nn.Linear(MODEL_WIDTH, MODEL_WIDTH)
        self.dense = nn.Sequential(nn.Linear(MODEL_WIDTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, MODEL_WIDTH))

    def forward(self, x: Any) -> Any:
        heads = self.project(self.before(x)).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*heads.unbind(0))
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.dense(self.between(x))


class Transformer(nn.Module):
    """W5."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(TOKENS, MODEL_WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.head = nn.Linear(MODEL_WIDTH, 10)

    def forward(self, x: Any) -> Any:
        return self.head(self.blocks(self.words(x)).mean(1))


class Recurrent(nn.Module):
    """W6: a dense layer on the last states of nn.GRU or nn.LSTM."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer, self.lstm = layer, isinstance(layer, nn.LSTM)
        self.head = nn.Linear(UNITS * (1 + layer.bidirectional), 10)

    def forward(self, x: Any) -> Any:
        states = self.layer(x)[1]
        return self.head((states[0] if self.lstm else states).transpose(0, 1).flatten(1))


def vgg() -> nn.Module:
    """W7."""
    layers: list[nn.Module] = []
    for block in vgg_channels():
        for channels in block:
            layers += [nn.Conv2d(*channels, 3, padding=1), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(VGG_FILTERS[-1], VGG_CLASSES), nn.Softmax(1)
    return nn.Sequential(*layers, *head)


def saved() -> nn.Module:
    """M4."""
    return nn.Sequential(*(nn.Linear(SAVED_WIDTH, SAVED_WIDTH) for _ in range(SAVED_LAYERS)))


# --- models that nothing was tuned for
def double(before: int, filters: int) -> nn.Module:
    """Twice convolution, batch normalization, ReLU."""
    layers: list[nn.Module] = []
    for channels in (before, filters):
        layers.append(nn.Conv2d(channels, filters, 3, padding=1, bias=False))
        layers += [nn.BatchNorm2d(filters, 1e-3, 0.01), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        a, b, c = UNET_FILTERS
        self.down, self.inner = nn.ModuleList([double(3, a), double(a, b)]), double(b, c)
        self.larger = nn.ModuleList([nn.ConvTranspose2d(c, b, 2, 2), nn.ConvTranspose2d(b, a, 2, 2)])
        self.up, self.last = nn.ModuleList([double(2 * b, b), double(2 * a, a)]), nn.Conv2d(a, UNET_CLASSES, 1)

    def forward(self, x: Any) -> Any:
        skipped = []
        for layer in self.down:
            skipped.append(layer(x))
            x = F.max_pool2d(skipped[-1], 2)
        x = self.inner(x)
        for larger, layer in zip(self.larger, self.up, strict=True):
            x = layer(torch.cat([skipped.pop(), larger(x)], 1))
        return self.last(x)


class Recommender(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.users, self.films = nn.Embedding(USERS, TASTE), nn.Embedding(FILMS, TASTE)
        self.dense = nn.Sequential(nn.Linear(2 * TASTE + GENRES + 1, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.rating = nn.Linear(32 + 1, 1)

    def forward(self, x: Any) -> Any:
        user, film = self.users(x["user"]), self.films(x["film"])
        h = self.dense(torch.cat([user, film, x["genres"], x["age"]], 1))
        return self.rating(torch.cat([h, (user * film).sum(1, keepdim=True)], 1))


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.value, self.gate = (nn.Linear(GATED_WIDTH, GATED_WIDTH, bias=False) for _ in range(2))

    def forward(self, x: Any) -> Any:
        return self.value(x) * F.silu(self.gate(x))


def gated() -> nn.Module:
    return nn.Sequential(*(Gated() for _ in range(GATED_LAYERS)), nn.Linear(GATED_WIDTH, 10))


def mlp() -> nn.Module:
    """W1."""
    return nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def labels_loss(logits: Any, y: Any) -> Any:
    return F.cross_entropy(logits, y), (logits.argmax(1) == y).sum()


def one_hot_loss(logits: Any, y: Any) -> Any:
    return F.cross_entropy(logits, y), (logits.argmax(1) == y.argmax(1)).sum()


def squares_loss(out: Any, y: Any) -> Any:
    return F.mse_loss(out, y), 0


def tickets_loss(out: Any, y: Any) -> Any:
    priority = F.binary_cross_entropy_with_logits(out[0], y["priority"])
    return priority + 0.2 * F.cross_entropy(out[1], y["department"]), 0


MODELS: dict[str, tuple[Callable[[], nn.Module], Callable[..., Any]]] = {
    "mlp": (mlp, labels_loss),
    "autoencoder": (Autoencoder, squares_loss),
    "tickets": (Tickets, tickets_loss),
    "resnet": (ResNet, one_hot_loss),
    "transformer": (Transformer, labels_loss),
    "gru": (lambda: Recurrent(nn.GRU(SIGNALS, UNITS, batch_first=True)), labels_loss),
    "bilstm": (lambda: Recurrent(nn.LSTM(SIGNALS, UNITS, batch_first=True, bidirectional=True)), labels_loss),
    "unet": (UNet, labels_loss),
    "recommender": (Recommender, squares_loss),
    "gated": (gated, labels_loss),
}
