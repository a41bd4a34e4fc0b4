"""Coming in: a password and a second factor, and before all that the first sign-in.

==============  ==================================================================================
``views``       signing in and out, and proving oneself once more
``invitation``  the first sign-in: a one-time link that ends with a second factor
``proving``     the page of a second step: what it takes, what it shows
``service``     whether somebody is the staff member he claims to be
``forms``       what these pages and those of one's own account send
==============  ==================================================================================
"""
