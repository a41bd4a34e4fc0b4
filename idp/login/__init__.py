"""Prove who you are: three password ways, choosing a company, the first use of a mandate's password.

======================  =====================================================================
/login                  leads to the first way that can answer; signed in, to one's centre
/login/legal            法人登录: account or credit code
/login/operator         经办人登录: company, then phone or ID number
/login/person           个人登录: account, phone or ID number
/login/company          a person signed in as himself chooses one of his mandates
/login/first-password   the first use of a mandate's password
/login/identity         signed in as a kind of identity the portal does not take
/sign-out               ends this browser's sign-in
======================  =====================================================================

``forms`` parse, ``candidates`` find whom a typed name means, ``service`` decides, ``views`` answer;
``journey`` knows what the browser came for, ``again`` who is asked to prove himself once more.
A pending authorization is carried in the URL as ``tx``; every step returns to ``/oauth/authorize``,
which decides what comes next.
"""
