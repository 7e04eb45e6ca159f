"""Kin of the error function."""

from __future__ import annotations

from typing import Any

import torch

KERNELS: dict[str, Any] = {"erfc": torch.erfc, "erfinv": torch.erfinv}
