"""The provider's protocol: OpenID Connect 1.0 on OAuth 2.1 (code + PKCE S256), on Authlib.

=======================================  =====================================================
/.well-known/openid-configuration        discovery; bytes made once
/oauth/jwks                              the published keys; bytes made once
/oauth/authorize                         the dispatcher every step of a sign-in returns to
/oauth/consent                           a third-party portal asks for the first time
/oauth/par                               a client pushes its request beforehand (RFC 9126)
/oauth/token                             codes and refresh tokens for tokens
/oauth/userinfo                          claims about the human, the company and the mandate
/oauth/device                            a device without a browser begins (RFC 8628)
/device · /device/confirm                where a person types its code and decides
/oauth/introspect · /oauth/revoke        RFC 7662, RFC 7009
/oauth/register                          a program registers a client (RFC 7591)
/oauth/logout                            RP-initiated logout
/help/errors                             every refusal by number, where `error_uri` leads
=======================================  =====================================================

``views``      where people's browsers come; ``endpoints`` what programs call
``rules``      what a request must satisfy, a rule a function, in the order of the table
``request_object``  parameters in a signed object (RFC 9101); ``claims_request`` single claims asked for
``authorize``  validate, decide what is missing, answer; ``step_up`` how fresh and strong a sign-in (RFC 9470)
``responses``  how the answer travels: by redirect, or by a form that the browser posts
``server``     Authlib's server with our requests, client authentication and grants
``client_auth``  who calls; ``client_assertion`` by a signature (private_key_jwt)
``dpop``       proofs of the key that tokens are bound to (RFC 9449)
``presented_token``  the access token a request brings, as a bearer or with a proof
``grants/``    a file a grant
``device``     the pages of a device's sign-in; ``device_authorization`` the device's side
``claims``     what tokens and userinfo say
``refusals/``  every refusal an integrator can meet: number, registered error, how to mend it
``tokens``     making and reading access tokens and ID tokens
"""
