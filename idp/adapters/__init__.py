"""The outside world, one file or package a party; each speaks our words upward, never the vendor's.

`ephemeral`: the store of short-lived facts, on a SQLite file of its own or on Redis. `outside`: how any
address that a client registered is called: the public network alone, bounded. `networks`: which IP addresses
are on it. `relying_party`: delivers logout tokens. `key_sets`: fetches what stands at a client's `jwks_uri`.
`sms`: the gateway that texts are handed to; `sms_tencent`: a vendor in its place. `party`: whom the
installation asks while a person waits: `face`, the face service; `social_security`, who holds which card;
`population` and `registry`, whether what is claimed of a person or a company is on record. `files`: uploaded
files on the disk, sealed; `inspection`: what an uploaded file is, parsed in a process of its own; `malware`:
the scanner it is shown to. `places`: where an address is. `store_ear`: the changes in Redis, for those who
wait.

Only `idp.app` names a concrete adapter; everybody else asks for the protocol.
"""
