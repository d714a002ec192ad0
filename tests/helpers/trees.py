"""JSON and TOML as trees, to change them anywhere."""


def places_in(value, path=()):
    """Paths to all that is inside, at any depth."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(place for key, item in inside for place in places_in(item, (*path, key)))]
