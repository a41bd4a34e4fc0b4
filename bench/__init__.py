"""The benchmarks: what speed and size the house has on the machine at hand, one JSON line a figure.

Run by hand (``make bench``, ``ARGS="sign_on growth"`` picks some), never as a test: nothing here
asserts a time. Absolute figures move from hour to hour, so every figure stands beside one that was
taken in the same run, and costs are counted in CPU time.

``__main__``        picks benchmarks by name and runs them
``figures``         a figure and how it is printed
``installation``    a database, a store and secrets of this run alone, removed at its end
``population``      people, companies, sign-ins and clients in it
``provider``        the application as the benchmarks serve it, with two bare routes to compare with
``serving``         that application in a granian process
``processes``       CPU time and memory of processes, from /proc
``http``            a keep-alive HTTP/1.1 client that costs little
``journeys``        what a virtual browser or portal does: a sign-on, a refresh, an introspection
``fapi``            a sign-on with PAR, private_key_jwt and DPoP
``load``            many of them at once, with the CPU time they cost
``in_process``      one request at a time without a server, for CPU time and profiles

``protocol``        sign_on, fapi_sign_on, refresh, introspection, documents, rss
``password_login``  what a password login costs beside its hash
``second_step``     what a code or a passkey costs beside a plain sign-in
``growth``          the same work at 1,000 and at 100,000 accounts
``hash_bound``      200 password checks at once
"""
