"""Relying parties.

===========  =====================================================================================
``views``    the list, one of them, its form, its secret, its end
``form``     the form: what it shows, what it sends, which field a refusal belongs to
``changes``  adding, changing and removing, on record
``words``    what is registered, in words
===========  =====================================================================================
"""
