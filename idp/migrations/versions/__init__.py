"""The changes in order: ``NNNN_what_it_does.py``, each naming the one before it.

A change that was released is never edited; what it got wrong is the next change.
"""
