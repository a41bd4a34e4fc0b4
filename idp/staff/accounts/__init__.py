"""People, companies and mandates.

====================  ============================================================================
``people``            one person: the search, his page, what can be done to his account
``companies``         the list of companies, one of them, its mandates
``pages``             what both share: the question before a change, the look at personal data
``changes``           what an administrator may do to an account or a mandate
``factor_rows``       second factors: which there are, and taking them all away
``change_words``      what is said before a change, and after it
``finding``           the one field that finds a person or a company
``person_record``     what is read for a person's page
``company_record``    what is read for the list and for a company's page
``company_words``     companies and mandates in words
``mandate_rows``      mandates a page at a time
``live_sign_ins``     the sign-ins that count now
====================  ============================================================================
"""
