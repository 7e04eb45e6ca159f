"""Kin of the error function."""

from __future__ import annotations

from typing import Any

from jax import lax

KERNELS: dict[str, Any] = {"erfc": lax.erfc, "erfinv": lax.erf_inv}
