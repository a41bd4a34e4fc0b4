"""`idp wait`: the process that holds the answers of waiting browsers, so that no thread of the provider does.

It serves `GET /scan/wait/<ticket>` as the scan room does, and keeps the answer back until the ticket moves,
its time is up, or the caller's seconds are over. One thread, one subscription, no SQL; a browser that waits
costs a connection and two small objects (docs/decisions/0014).

===========  ==========================================================================
``room``     who waits for which ticket, and when he is answered
``door``     which address is asked, and what may be asked of it
``line``     one connection: HTTP/1.1, GET without a body and nothing else
``replies``  the bytes of an answer
``process``  all of it put together, from the start to SIGTERM
===========  ==========================================================================

*Subscribe, then read, then wait*: a browser is in the room before its ticket is read, so a move between the
two finds it there. A message is a hint; what the store says is the truth.
"""
