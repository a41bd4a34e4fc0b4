"""应用接入: the relying parties, their registration, their secrets, and what became of logout messages.

==============================  ===============================================================
/staff/clients                  the list, by name, id or redirect host
/staff/clients/new              add one
/staff/clients/client?id=…      one of them
/staff/clients/edit?id=…        its form; of two who save at once, the later one is told
/staff/clients/secret?id=…      a new secret, shown once
/staff/clients/remove?id=…      away with it, and all it was granted
==============================  ===============================================================

The id stands in the query: another provider's ids, moved here, may hold slashes.
"""

from __future__ import annotations

from typing import Any, Never

from flask import Blueprint, Response, make_response, redirect, request, url_for

from idp.access.client_rules import NewClient
from idp.access.clients import Client, ClientRefused, announce_change, clients_of, search_clients
from idp.access.logouts import deliveries
from idp.access.registration import SECRET_OVERLAP, new_client_id, registration_of
from idp.access.registration_tokens import RegistrationToken
from idp.accounts.reasons import ReasonRefused, parse_reason
from idp.adapters.ephemeral import StoreUnavailable
from idp.config import Mode
from idp.staff.clients import changes, words
from idp.staff.clients import form as clients_form
from idp.staff.clients.changes import ChangedMeanwhile, Desk, Gone
from idp.staff.clients.form import ClientForm
from idp.web import staff
from idp.web import staff_news as news
from idp.web.client_words import LABELS
from idp.web.errors import Stop
from idp.web.platform import after_commit, db, now, platform, settings
from idp.web.render import minute

blueprint = Blueprint("staff_clients", __name__, url_prefix="/staff/clients")
_A_PAGE = 20
_AT_FIRST = ("openid", "profile")
"""The scopes a new application has ticked; what tells more is ticked by whoever decides it."""
_LONGEST_SEARCH = 100
_DELIVERIES_SHOWN = 20


@blueprint.get("")
def index() -> str:
    """The relying parties, twenty a page."""
    typed = request.args.get("q", "").strip()
    too_long = len(typed) > _LONGEST_SEARCH
    ids = [] if too_long else search_clients(db(), typed)
    pages = max(1, -(-len(ids) // _A_PAGE))
    number = min(max(request.args.get("page", 1, type=int), 1), pages)
    return staff.page(
        "staff/clients/index.html",
        typed=typed[:_LONGEST_SEARCH],
        error=f"搜索内容最多 {_LONGEST_SEARCH} 个字，请写短一些" if too_long else "",
        clients=clients_of(db(), ids[(number - 1) * _A_PAGE : number * _A_PAGE]),
        kinds=words.KINDS,
        profiles=words.PROFILES,
        total=len(ids),
        pages=[
            {"label": each, "href": url_for(".index", q=typed or None, page=each), "current": each == number}
            for each in _around(number, pages)
        ],
    )


@blueprint.route("/new", methods=["GET", "POST"])
def add() -> Any:
    """Register one; its secret is shown once. A form that is sent again finds its id taken."""
    if request.method == "GET":
        return _form(
            clients_form.shown(NewClient("", (), client_id=new_client_id(), scopes=_AT_FIRST)), "添加应用"
        )
    form = ClientForm(request.form)
    new = clients_form.read(form, NewClient("", ()))
    if new is None or not clients_form.check(form, new, production=_production()):
        return _form(form, "添加应用"), 400
    try:
        client, secret = changes.add(_desk(), new)
    except ClientRefused as refused:
        clients_form.say(form, refused)
        return _form(form, "添加应用"), 400
    return _handed_over(client, secret, "应用已添加")


@blueprint.get("/client")
def client() -> str:
    """One of them: what is registered, and what became of its logout messages."""
    found = _found()
    token = db().get(RegistrationToken, found.registered_with) if found.registered_with else None
    sent = deliveries(db(), found.client_id, limit=_DELIVERIES_SHOWN)
    return staff.page(
        "staff/clients/client.html",
        client=found,
        sections=words.facts(found),
        invitation=token.label if token else "",
        deliveries=[words.delivery_words(message) for message in sent],
        old_secret_until=words.old_secret(found, now=now()),
        done=news.take(),
        profiles=words.PROFILES,
        kinds=words.KINDS,
    )


@blueprint.route("/edit", methods=["GET", "POST"])
def edit() -> Any:
    """Change its registration."""
    found = _found()
    before, title = registration_of(found), f"编辑 {found.name}"
    if request.method == "GET":
        return _form(clients_form.shown(before, version=changes.version_of(found)), title, found)
    form = ClientForm(request.form)
    new = clients_form.read(form, before)
    if new is None or not clients_form.check(form, new, production=_production()):
        return _form(form, title, found), 400
    try:
        saved, secret = changes.change(_desk(), found.client_id, new, version=form.version.data or "")
    except ClientRefused as refused:
        clients_form.say(form, refused)
        return _form(form, title, found), 400
    except ChangedMeanwhile as changed:
        # Once more, knowingly: from here on the page is made from what is stored now.
        form.version.data = changes.version_of(changed.client)
        return _form(form, title, changed.client, meanwhile=_told(changed)), 409
    except Gone:
        _gone()
    if secret:
        return _handed_over(saved, secret, "已保存，并生成了密钥")
    after_commit(_announce)
    here = url_for(".client", id=saved.client_id)
    news.leave(here, "已保存，正在运行的服务已经使用新的登记。")
    return redirect(here, 303)


@blueprint.route("/secret", methods=["GET", "POST"])
def secret() -> Any:
    """A new secret, shown once, after a fresh proof; the old one works for a day.

    A form that is sent again changes nothing.
    """
    found = _found()
    if not found.secret_hash:
        raise Stop(
            "这个应用没有密钥",
            f"{found.name}的认证方式是「{words.AUTH_METHODS[found.auth_method]}」，不使用密钥。",
            ways=(("回到应用", url_for(".client", id=found.client_id)),),
        )
    if (elsewhere := staff.proof_first(url_for(".secret", id=found.client_id))) is not None:
        return elsewhere
    meanwhile: list[str] = []
    if request.method == "POST":
        try:
            renewed, new = changes.renew_secret(
                _desk(), found.client_id, version=request.form.get("version", "")
            )
        except ChangedMeanwhile as changed:
            found, meanwhile = changed.client, _told(changed)
        except Gone:
            _gone()
        else:
            return _handed_over(renewed, new, "密钥已更换")
    shown = staff.page(
        "staff/clients/secret.html",
        client=found,
        version=changes.version_of(found),
        meanwhile=meanwhile,
        old_secret_until=words.old_secret(found, now=now()),
        overlap=minute(now() + SECRET_OVERLAP),
    )
    return shown, 409 if meanwhile else 200


@blueprint.route("/remove", methods=["GET", "POST"])
def remove() -> Any:
    """Remove it, with all it was granted, for a reason."""
    found, error = _found(), ""
    if request.method == "POST":
        try:
            reason = parse_reason(request.form.get("reason", ""))
            changes.remove(_desk(), found.client_id, reason=reason)
        except ReasonRefused as refused:
            error = str(refused)
        except Gone:
            _gone()
        else:
            after_commit(_announce)
            return staff.page("staff/clients/removed.html", name=found.name, client_id=found.client_id)
    shown = staff.page(
        "staff/clients/remove.html", client=found, error=error, typed=request.form.get("reason", "")[:1000]
    )
    return shown, 400 if error else 200


def _form(
    form: ClientForm, title: str, found: Client | None = None, meanwhile: list[str] | None = None
) -> str:
    return staff.page(
        "staff/clients/form.html",
        form=form,
        title=title,
        client=found,
        meanwhile=meanwhile or [],
        labels=LABELS,
        choices=clients_form.CHOICES,
        production=_production(),
    )


def _handed_over(client: Client, secret: str | None, title: str) -> Response:
    """What the relying party needs to begin, and the news of it to every process.

    The secret is shown here once. Where the news fails it stays on the page, with a warning: it is stored,
    and nobody could show it again.
    """
    told = {
        "client": client,
        "secret": secret,
        "title": title,
        "issuer": settings().issuer,
        "method": words.AUTH_METHODS[client.auth_method],
        "old_secret_until": words.old_secret(client, now=now()),
    }
    warned = staff.page("staff/clients/handed_over.html", **told, announced=False)
    answer = make_response(staff.page("staff/clients/handed_over.html", **told, announced=True))

    def announce() -> None:
        try:
            announce_change(platform().store)
        except StoreUnavailable:
            answer.set_data(warned)

    after_commit(announce)
    return answer


def _found() -> Client:
    try:
        return changes.found(db(), request.args.get("id", ""))
    except Gone:
        _gone()


def _gone() -> Never:
    raise Stop(
        "没有这个应用",
        "它可能刚刚被别的管理员删除，也可能地址不完整。没有做任何更改。",
        status=404,
        ways=(("回到应用列表", url_for(".index")),),
    )


def _told(changed: ChangedMeanwhile) -> list[str]:
    told = [words.meanwhile_words(db(), platform().vault, done) for done in changed.done]
    return told or [f"{minute(changed.client.changed_at)}，这个应用已被更改"]


def _desk() -> Desk:
    return Desk(
        db(),
        platform().vault,
        platform().trail,
        staff.origin(),
        now(),
        production=_production(),
        issuer=settings().issuer,
    )


def _announce() -> None:
    try:
        announce_change(platform().store)
    except StoreUnavailable:
        raise Stop(
            "已经保存，还没有全部生效",
            "更改已经写入，但暂时无法通知正在运行的服务进程。请稍后打开这个应用再保存一次，或请运维重启服务。",
            status=503,
            ways=(("回到应用列表", url_for("staff_clients.index")),),
        ) from None


def _production() -> bool:
    return settings().mode is Mode.PRODUCTION


def _around(number: int, pages: int) -> list[int]:
    """The pages to offer: the first, the last, and those beside this one."""
    near = {1, pages, *range(number - 2, number + 3)}
    return sorted(each for each in near if 1 <= each <= pages)
