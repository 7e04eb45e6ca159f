"""The core: specs, dtypes, shapes, ops, backends and variables. Imports no framework."""
