"""The parties outside that the provider asks, for demo and tests: they keep to the same interfaces.

=======================  ======================================================================
/face/checks             the provider begins a face check (signed)
/face/<page>             the page of a check, for a phone: the camera, or one of the triggers
/cards/holder            who holds an activated 电子社保卡, and for whom he is recorded as operator
/population/match        whether what somebody claims of himself is on record (people registry)
/registry/match          whether what is claimed of a company is on record, and its status (business registry)
=======================  ======================================================================

Nothing is kept, and what comes out is decided by triggers (docs/simulators.md); the registries compare, with
the people and companies of `demo_records.json`. Nobody of the provider knows that he talks to a simulator.
"""
