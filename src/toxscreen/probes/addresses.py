"""What the address of a socket means: this machine alone, or the network."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any


def is_local(host: object) -> bool:
    """Whether a host name or address means this machine's loopback interface."""
    if isinstance(host, bytes | bytearray):
        host = host.decode("utf-8", "replace")
    if not isinstance(host, str):
        return host is None
    if host.lower() in {"localhost", "localhost.localdomain", ""}:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_internet(used: object) -> bool:
    """Whether a socket is of one of the internet's families; others have tuples for addresses as well."""
    module: Any = sys.modules.get("_socket")
    return module is None or getattr(used, "family", None) in {module.AF_INET, module.AF_INET6}
