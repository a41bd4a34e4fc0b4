"""吉事办 and the other apps a person scans with: a phone-sized web app, as an outsider to the provider.

The server hands out files and nothing else: no secret, no database, no session. The page itself is the
client: it holds the tokens and a key that no script can read, and proves that key with every call (RFC 9449).

- `config`: the environment, read here and nowhere else
- `skins`: the three apps as rows: 吉事办 at `/`, 电子社保卡 at `/social-card/`, 电子营业执照 at `/licence/`
- `shell`: the one page all routes answer with, manifests, the service worker
- `assets`: the files, at addresses that change whenever one of them does
- `app`: `create_app(settings)`; `python -m relying_parties.app` serves it
- `static/`: the pages, ES modules: `main` names every route; `config`, `store`, `dpop`, `tokens`, `signin`,
  `api` talk to the provider; `view`, `frame`, `router` draw; the rest are pages
"""
