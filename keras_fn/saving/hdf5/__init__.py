"""A strict reader of the part of HDF5 that files of weights use, written for files that strangers send.

libhdf5 trusts metadata: a changed byte can make it loop or crash the process. This reader checks each number against
the file before it is used, refuses what weights do not need, never follows anything out of the file, and takes time and
memory in proportion to the file's size. See docs/decisions/0007-own-hdf5-reader.md.

Source of the format: The HDF Group, *HDF5 File Format Specification Version 3.0*; each module names its sections.
"""

from keras_fn.saving.hdf5.file import Dataset, File, Group, open_h5

__all__ = ["Dataset", "File", "Group", "open_h5"]
