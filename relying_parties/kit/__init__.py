"""What a portal needs to take its users from an OpenID Provider, and to send them back.

The map, from the protocol outward:

- `provider`: talks HTTP to the provider: discovery, keys, tokens, userinfo
- `id_token`: the checks an ID token must pass
- `oidc`: an authorization request, its answer, the sign-out address
- `identity`: who the answer says is here: the human, the company, by what right
- `database`, `session`: the portal's own storage of sign-in attempts, sessions and refusals
- `settings`: what every portal is told by its environment
- `masking`, `words`: how people, numbers and days are shown
- `portal`: one portal put together, and the current session of a request
- `cookies`, `security`, `errors`, `sign_in`, `app`: Flask: cookies, headers and CSRF, error pages, the routes
  `/login`, `/login/person`, `/switch/<kind>`, `/callback`, `/refused`, `/logout`, `/signed-out`
- `serve`: the WSGI server, on loopback by default

A portal gives it a name and one rule, `admit`: whom its own records let in.
"""
