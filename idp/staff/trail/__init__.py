"""The audit trail.

=============  ===================================================================================
``views``      the events, one of them, the file, the checks of the chain
``filtering``  what the filter's fields mean
``export``     the file, written while it is sent
=============  ===================================================================================
"""
