"""`idp client add`, and the options that a registration is said with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from idp.access.channels import CHANNELS
from idp.access.client_metadata import metadata, recorded, split_scopes, with_secret
from idp.access.profiles import AUTH_METHODS, BASIC, GRANT_TYPES, PROFILES, SIGNING_ALGS
from idp.access.registration import DEFAULT_SCOPES, NewClient, add_client, check_redirects_leave
from idp.accounts.audit import Action
from idp.cli.client_desk import announce, is_production, record
from idp.cli.client_import import read_json
from idp.cli.desk import Json, Refused, fields, opened, show

_METHODS, _ALGS, _GRANTS = ", ".join(AUTH_METHODS), ", ".join(SIGNING_ALGS), ", ".join(GRANT_TYPES)

Many = list[str] | None
Text = str | None
ProfileName = Annotated[str, typer.Option(metavar="|".join(PROFILES), help="The security profile it keeps.")]
Scope = Annotated[
    Many, typer.Option(help=f"Repeat, or separate by spaces; by default {' '.join(DEFAULT_SCOPES)}.")
]
_Name = Annotated[str, typer.Option(help="What people read on the consent page.")]
_Redirect = Annotated[Many, typer.Option(help="Exact address; repeat for several. Codes need one.")]
_PostLogout = Annotated[Many, typer.Option(help="Repeat for several.")]
_BackChannel = Annotated[Text, typer.Option(help="Told when a sign-in ends.")]
_Method = Annotated[Text, typer.Option(help=f"{_METHODS}; by default the first its profile takes.")]
_Jwks = Annotated[
    Path | None,
    typer.Option(metavar="FILE", exists=True, dir_okay=False, readable=True, help="Its public keys."),
]
_JwksUri = Annotated[Text, typer.Option(metavar="URL", help="Where its public keys are published.")]
_AssertionAlg = Annotated[Text, typer.Option(help=f"{_ALGS}; by default what its first key is for.")]
_RequestAlg = Annotated[Text, typer.Option(help=f"The only algorithm of its signed requests: {_ALGS}.")]
_Signed = Annotated[bool, typer.Option("--require-signed-requests", help="Only signed requests (RFC 9101).")]
_Par = Annotated[bool, typer.Option("--require-par", help="Only pushed requests (RFC 9126).")]
_Dpop = Annotated[bool, typer.Option("--dpop", help="Only tokens bound to a key (RFC 9449).")]
_Grant = Annotated[Many, typer.Option(help=f"{_GRANTS}; repeat for several, by default the first.")]
_IdTokenAlg = Annotated[Text, typer.Option(help=f"{_ALGS}; by default the first its profile takes.")]
_SubjectType = Annotated[str, typer.Option(help="pairwise or public.")]
_Sector = Annotated[str, typer.Option(help="Clients of one sector see one sub; else the redirect host.")]
_Resource = Annotated[Many, typer.Option(help="Address it may ask access tokens for; repeat for several.")]
_Serves = Annotated[Many, typer.Option(help="Address of a resource it serves itself; repeat for several.")]
_AcrValue = Annotated[Many, typer.Option(help="Asked for where a request names none; repeat in order.")]
_MaxAge = Annotated[int | None, typer.Option(min=0, metavar="SECONDS", help="Where a request names none.")]
_Contact = Annotated[Many, typer.Option(help="Whom to ask about it; repeat for several.")]
_ClientUri = Annotated[Text, typer.Option(metavar="URL", help="Its home page.")]
_FullPhone = Annotated[bool, typer.Option("--full-phone", help="May see the whole number.")]
_FirstParty = Annotated[bool, typer.Option("--first-party", help="Nobody is asked for consent.")]
_Channel = Annotated[Text, typer.Option(help=f"Which phone app it is: {', '.join(CHANNELS)}.")]
_ClientId = Annotated[str, typer.Option(help="By default a random one.")]


def add(  # noqa: PLR0913 - an option is an argument
    *,
    name: _Name,
    redirect_uri: _Redirect = None,
    post_logout_redirect_uri: _PostLogout = None,
    backchannel_logout_uri: _BackChannel = None,
    auth_method: _Method = None,
    jwks: _Jwks = None,
    jwks_uri: _JwksUri = None,
    assertion_alg: _AssertionAlg = None,
    request_object_alg: _RequestAlg = None,
    require_signed_requests: _Signed = False,
    require_par: _Par = False,
    dpop: _Dpop = False,
    grant: _Grant = None,
    scope: Scope = None,
    resource: _Resource = None,
    serves: _Serves = None,
    id_token_alg: _IdTokenAlg = None,
    subject_type: _SubjectType = "pairwise",
    sector: _Sector = "",
    default_acr_value: _AcrValue = None,
    default_max_age: _MaxAge = None,
    client_uri: _ClientUri = None,
    contact: _Contact = None,
    profile: ProfileName = "basic",
    full_phone: _FullPhone = False,
    first_party: _FirstParty = False,
    channel: _Channel = None,
    client_id: _ClientId = "",
    as_json: Json = False,
) -> None:
    """Register a relying party; its secret, if it has one, is printed once and never again."""
    kept = PROFILES.get(profile, BASIC)
    new = NewClient(
        name=name,
        client_id=client_id,
        redirect_uris=tuple(redirect_uri or ()),
        post_logout_redirect_uris=tuple(post_logout_redirect_uri or ()),
        backchannel_logout_uri=backchannel_logout_uri,
        auth_method=kept.auth_methods[0] if auth_method is None else auth_method,
        jwks=None if jwks is None else _key_set(jwks),
        jwks_uri=jwks_uri,
        assertion_alg=assertion_alg,
        request_object_alg=request_object_alg,
        require_signed_requests=require_signed_requests,
        require_par=require_par,
        dpop=dpop,
        grant_types=tuple(dict.fromkeys(grant or ("authorization_code",))),
        scopes=split_scopes(scope) if scope else DEFAULT_SCOPES,
        resources=tuple(resource or ()),
        serves=tuple(serves or ()),
        id_token_alg=kept.signing_algs[0] if id_token_alg is None else id_token_alg,
        subject_type=subject_type,
        sector=sector,
        default_acr_values=tuple(default_acr_value or ()),
        default_max_age=default_max_age,
        client_uri=client_uri,
        contacts=tuple(contact or ()),
        profile=profile,
        full_phone=full_phone,
        first_party=first_party,
        channel=channel or None,
    )
    _register(new, as_json=as_json)


def _register(new: NewClient, *, as_json: bool) -> None:
    with opened() as desk:
        with desk.transaction() as db:
            check_redirects_leave(new, desk.settings.issuer)
            client, secret = add_client(db, new, production=is_production(desk), now=desk.now)
            record(desk, db, Action.CLIENT_ADDED, client, after=recorded(client))
        told = with_secret(metadata(client), secret)
        show(told, as_json=as_json, lines=fields(told))
        announce(desk)


def _key_set(file: Path) -> dict[str, Any]:
    jwks = read_json(file)
    if not isinstance(jwks, dict):
        raise Refused("--jwks must be a file with a JSON Web Key Set (RFC 7517 §5).")
    return jwks
