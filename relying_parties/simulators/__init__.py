"""The parties outside that the provider asks, for demo and tests: they keep to the same interfaces.

=======================  ======================================================================
/face/checks             the provider begins a face check (signed)
/face/<page>             the page of a check, for a phone: the camera, or one of the triggers
/cards/holder            who holds an activated 电子社保卡, and for whom he is recorded as operator
=======================  ======================================================================

Nothing is compared and nothing kept: what comes out is decided by triggers (docs/simulators.md). Nobody of
the provider knows that he talks to a simulator.
"""
