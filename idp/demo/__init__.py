"""Demo mode: an invented world, and what a tool needs to drive it.

``world``     the people, companies and mandates, as facts; all of them invented
``seed``      puts the world into the database, and makes it true again at each start
``addresses`` which application listens where
``manifest``  the world as ``/demo/manifest.json`` tells it
``views``     the routes: ``/demo/manifest.json``, ``/demo/outbox.json``, ``/demo/captcha/<id>.json``

The routes exist in demo mode only; ``idp demo`` starts everything.
"""
