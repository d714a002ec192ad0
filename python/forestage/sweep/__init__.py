"""Many designs: a device file with ranges, on the cores of one machine or on a cluster."""
