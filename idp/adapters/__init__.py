"""The outside world, one file or package a party; each speaks our words upward, never the vendor's.

`ephemeral`: the store of short-lived facts, on a SQLite file of its own or on Redis.

Only `idp.app` names a concrete adapter; everybody else asks for the protocol.
"""
