"""Users of a server, and what they send to be known."""

import hashlib


def table(name, key, role="user", **more):
    """A [[users]] table, for Server.extra_config."""
    lines = [f'name = "{name}"', f'key_sha256 = "{digest(key)}"', f'role = "{role}"',
             *(f"{name} = {value}" for name, value in more.items())]
    return "\n[[users]]\n" + "\n".join(lines) + "\n"


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


def with_key(key):
    return {"Authorization": f"Bearer {key}"}
