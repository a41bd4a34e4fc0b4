"""HTTP furniture every room uses: none of it decides anything about accounts.

``platform``  what a request needs (database session, store, vault, clock), given out by name
``cookies``   the one owner of cookies and of flask.session
``signin``    who is signed in, the guards, signing a browser in and out
``waiting``   the browser's side of a scan ticket: its secret, what it asks a phone for
``faces``     face checks: whether there are any; ``face_step`` one as a step of any journey
``shown``     a question is answered by the sign-in it was shown to, or put again
``security``  response headers and CSP, host and origin checks, request ids
``cors``      which calls pages of registered apps may make from their own origin
``errors``    exceptions as pages, in Chinese, with a way out
``logs``      one line a request, and counters for /metrics
``render``    what templates may call
``downloads`` files of the theme that are kept, not shown: the template of the 企业授权书
``uploads``   fields for files, and what becomes of what was sent; ``stored_files`` how a file leaves
``words``     identities, rights and sign-ins in words; ``scope_words`` what a scope opens
``centre``    the frame of the three centres
``pages``     help and legal pages, 大字版, health and metrics

For the programs that call
``presented_token``  the access token a request brings; ``dpop`` the proof of the key it is bound to
``refusals``  every refusal an integrator can meet: number, registered error, how to mend it
"""
