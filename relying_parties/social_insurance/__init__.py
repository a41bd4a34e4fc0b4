"""示例智慧人社 单位网厅: the social insurance portal, the first relying party.

It takes its users from the provider over OpenID Connect and lets in only those its own records know:

- `config`: the environment, read here and nowhere else
- `models`, `records`: insured units, their representatives and operators; loading them from a file
- `admission`: whom the records let in, and the link that is kept from the first sign-in on (A13, A15, J14)
- `pages`: `/`, `/login/unit` (the interstitial of A02), `/record`; the other routes are the kit's
- `app`: `create_app(settings)`; `python -m relying_parties.social_insurance` serves it
"""
