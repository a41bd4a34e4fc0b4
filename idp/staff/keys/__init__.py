"""Signing keys.

=========  =======================================================================================
``views``  the keys of each algorithm; rotating, and withdrawing one that has leaked
``words``  what becomes of a key, in words: how long it waits, what breaks without it
=========  =======================================================================================
"""
