"""Prove who you are: passwords, passkeys, a second step, and proving it once more.

======================  =====================================================================
/login                  leads to the first way that can answer; signed in, to one's centre
/login/qr               扫码登录: a code for the phone, and what came of it
/login/legal            法人登录: account or credit code
/login/operator         经办人登录: company, then phone or ID number
/login/person           个人登录: account, phone or ID number
/login/face             刷脸登录: name and number, then the face, here or by a QR code
/login/passkey          通行密钥登录: a passkey alone, whosever it is
/login/second           the second step after a password, and the step-up a portal asks for
/login/confirm          the proof asked for before one's security is changed
/login/company          a person signed in as himself chooses one of his mandates
/login/first-password   the first use of a mandate's password
/login/identity         signed in as a kind of identity the portal does not take
/reset                  忘记密码: /reset/legal, /reset/operator, /reset/person ask who one is
/reset/phone            a code to the phone of record
/reset/password         the new password
/reset/done             前往登录
/sign-out               ends this browser's sign-in
======================  =====================================================================

``forms`` parse, ``candidates`` find whom a typed name or an account's key means, ``views`` answer.
``service`` decides about passwords, ``first_use`` about those a company gave out, ``reset`` (with
``reset_forms``) about forgotten ones, ``second`` about the second step, ``passkey`` about passkeys, ``qr``
about what a phone confirmed, ``confirm`` about who is signed in already; ``factor_proof`` is the check of a
factor they share, and ``entry`` what every way in ends with. ``journey`` knows what the browser came for,
``again`` who is asked to prove himself once more.
A pending authorization is carried in the URL as ``tx``; every step returns to ``/oauth/authorize``,
which decides what comes next.
"""
