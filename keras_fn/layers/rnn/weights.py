"""The weights of recurrent cells."""

from __future__ import annotations

from typing import Any


def add_cell_weight(cell: Any, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
    """A weight `kernel`, `recurrent_kernel` or `bias` of a cell, with the regularizer and constraint for it."""
    kind = name.removesuffix("_kernel")
    return cell.add_weight(
        shape=shape,
        initializer=initializer,
        regularizer=getattr(cell, f"{kind}_regularizer"),
        constraint=getattr(cell, f"{kind}_constraint"),
        name=name,
    )
