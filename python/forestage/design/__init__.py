"""From a device to the filters of a preset."""
