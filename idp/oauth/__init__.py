"""The provider's protocol: OpenID Connect 1.0 on OAuth 2.1 (code + PKCE S256), on Authlib.

=======================================  =====================================================
/.well-known/openid-configuration        discovery; bytes made once
/oauth/jwks                              the published keys; bytes made when they change
/oauth/authorize                         the dispatcher every step of a sign-in returns to
/oauth/consent                           a third-party portal asks for the first time
/oauth/par                               a client pushes its request beforehand (RFC 9126)
/oauth/token                             tokens: for codes, refresh tokens, devices, clients themselves
/oauth/userinfo                          claims about the human, the company and the mandate
/oauth/device                            a device without a browser begins (RFC 8628)
/device · /device/confirm                where a person types its code and decides
/oauth/introspect · /oauth/revoke        RFC 7662, RFC 7009
/oauth/register                          a program registers a client (RFC 7591)
/oauth/logout                            RP-initiated logout
/help/errors                             every refusal by number, where `error_uri` leads
=======================================  =====================================================

Where requests come in
  ``views``      people's browsers; ``endpoints`` programs; ``server`` Authlib's server with our requests
  ``device``     the pages of a device's sign-in; ``device_authorization`` the device's side
  ``registration``  clients that register themselves; ``logout`` what a logout request must satisfy
  ``discovery``  what is offered; ``help`` the errors by number

What a request asks for
  ``rules``      what it must satisfy, a rule a function, in the order of the table
  ``par``        pushed beforehand; ``request_object`` signed (RFC 9101)
  ``claims_request``  single claims; ``resource_indicators`` for which resource (RFC 8707)
  ``step_up``    how fresh and strong a sign-in (RFC 9470)
  ``authorize``  validate, decide what is missing, answer; ``responses`` by redirect or by form

Who calls, and with what
  ``client_auth``  by a secret; ``client_assertion`` by a signature (private_key_jwt)
  ``token_state``  asking about a token, ending one

What is given
  ``grants/``    a file a grant
  ``claims``     what tokens and userinfo say
"""
