"""The day at a glance.

=========  =======================================================================================
``views``  the page, and the ways to where one acts
``day``    its figures, read at most every twenty seconds
``plots``  its two plots, as shapes and marks
=========  =======================================================================================
"""
