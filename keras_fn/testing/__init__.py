"""What backends and plug-ins are tested with: a strict backend that refuses what was not promised."""

from __future__ import annotations
