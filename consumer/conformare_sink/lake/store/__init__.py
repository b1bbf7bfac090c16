"""The folder of a lake, on this machine's disks or in an object store."""
