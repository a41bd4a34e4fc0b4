"""Every part of the console, for :mod:`idp.app` to register."""

from __future__ import annotations

from idp.staff.accounts import companies, people
from idp.staff.clients import views as clients
from idp.staff.deliveries import views as deliveries
from idp.staff.entry import invitation
from idp.staff.entry import views as entry
from idp.staff.keys import views as keys
from idp.staff.me import views as me
from idp.staff.overview import views as overview
from idp.staff.trail import views as trail

BLUEPRINTS = tuple(
    part.blueprint
    for part in (entry, invitation, me, overview, deliveries, clients, keys, people, companies, trail)
)
