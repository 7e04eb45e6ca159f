"""Targets, losses, metrics and weights are matched to outputs by name where there are names, else by position."""

from __future__ import annotations

from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import StructureError, closest


def output_names(model: Any, y_pred: Any) -> list[str]:
    """A name for each output, flat."""
    flat = trees.flatten(y_pred)
    names = getattr(model, "output_names", None)
    if names and len(names) == len(flat):
        return list(names)
    if isinstance(y_pred, dict) and not any(isinstance(v, (dict, list, tuple)) for v in y_pred.values()):
        return list(y_pred)
    return ["output"] if len(flat) == 1 else [f"output_{i + 1}" for i in range(len(flat))]


def per_output(given: Any, names: list[str], what: str, is_entry: Any, tree: Any = None) -> list[Any]:
    """What is given for each output, flat; None where nothing is.

    Args:
        given: one entry (for one output), a list by position, or a dict by name.
        names: names of the outputs.
        what: word for messages, like "loss".
        is_entry: whether a value is one entry rather than a structure of them.
        tree: the structure of the outputs, whose own keys may be used as names too.

    Raises:
        StructureError: where a name is unknown or the number differs.
    """
    if given is None:
        return [None] * len(names)
    if isinstance(given, dict) and not is_entry(given):
        found = _by_name(given, names, what, tree)
        if found is not None:
            return found
    if is_entry(given):
        if len(names) > 1:
            raise StructureError(
                f"The model has {len(names)} outputs ({', '.join(names)}), and one {what} is given. Give one for each: "
                f"a dict by name, {{{names[0]!r}: …}}, or a list in this order."
            )
        return [given]
    entries = list(given)
    if len(entries) != len(names):
        raise StructureError(
            f"The model has {len(names)} outputs ({', '.join(names)}), and {len(entries)} {what} entries are given."
        )
    return entries


def _by_name(given: dict[str, Any], names: list[str], what: str, tree: Any) -> list[Any] | None:
    known = list(names)
    aliases = {}
    if isinstance(tree, dict):
        aliases = {k: i for i, k in enumerate(tree)} if len(tree) == len(names) else {}
    out: list[Any] = [None] * len(names)
    for name, value in given.items():
        if name in names:
            out[names.index(name)] = value
        elif name in aliases:
            out[aliases[name]] = value
        else:
            raise StructureError(
                f"`{what}` names the output {name!r}, which the model does not have.{closest(name, known)} "
                f"Its outputs: {', '.join(known)}."
            )
    return out


def match_targets(y: Any, names: list[str], y_pred: Any) -> list[Any]:
    """The target of each output, flat; None for an output without one."""
    flat = trees.flatten(y_pred)
    if y is None:
        return [None] * len(flat)
    if isinstance(y, dict):
        found = _by_name(y, names, "y", y_pred)
        return [] if found is None else found
    leaves = trees.flatten(y)
    if len(leaves) != len(flat):
        raise StructureError(
            f"The model has {len(flat)} outputs ({', '.join(names)}), and {len(leaves)} targets came."
        )
    return leaves


def match_weights(sample_weight: Any, names: list[str], y_pred: Any) -> list[Any]:
    """The sample weight of each output, flat; one weight serves all outputs."""
    flat = trees.flatten(y_pred)
    if sample_weight is None:
        return [None] * len(flat)
    if isinstance(sample_weight, dict):
        return _by_name(sample_weight, names, "sample_weight", y_pred) or []
    leaves = trees.flatten(sample_weight)
    if len(leaves) == 1:
        return leaves * len(flat)
    if len(leaves) != len(flat):
        raise StructureError(
            f"The model has {len(flat)} outputs ({', '.join(names)}), and {len(leaves)} sample weights came."
        )
    return leaves
