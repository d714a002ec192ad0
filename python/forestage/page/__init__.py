"""What pages share: a template that theirs extend, and the look of charts to zoom in."""
