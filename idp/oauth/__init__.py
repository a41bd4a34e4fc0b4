"""The provider's protocol: OpenID Connect 1.0 on OAuth 2.1 (code + PKCE S256), on Authlib.

=======================================  =====================================================
/.well-known/openid-configuration        discovery; bytes made once
/oauth/jwks                              the published keys; bytes made once
/oauth/authorize                         the dispatcher every step of a sign-in returns to
/oauth/consent                           a third-party portal asks for the first time
/oauth/token                             codes and refresh tokens for tokens
/oauth/userinfo                          claims about the human, the company and the mandate
/oauth/introspect · /oauth/revoke        RFC 7662, RFC 7009
/oauth/logout                            RP-initiated logout
=======================================  =====================================================

``views``      where people's browsers come; ``endpoints`` what programs call
``rules``      what a request must satisfy, a rule a function, in the order of the table
``authorize``  validate, decide what is missing, answer
``server``     Authlib's server with our requests, client authentication and grants
``grants/``    a file a grant
``claims``     what tokens and userinfo say
``tokens``     making and reading access tokens and ID tokens
"""
