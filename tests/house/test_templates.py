"""Templates: nothing inline (the Content-Security-Policy blocks it), nothing unescaped, nothing unused."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, meta, nodes

from tests.house.tree import templates

JINJA = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
INLINE = {
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "an inline style": re.compile(r"<[^>]*\sstyle\s*=|<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc\s*=)", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
}
# Where `|safe` stands on text of our own that no visitor can touch: (template, the expression before it).
TRUSTED = {("theme/ui.html", "ICONS[name]"), ("theme/sprite.html", "ICONS[name]")}
ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)


def inline_code(text: str) -> Iterator[str]:
    """What of a template the browser would refuse, in words."""
    # Jinja goes first: `{{ ui.button(style="quiet") }}` is no attribute. A handler put together by Jinja
    # out of pieces would pass, and shows in the browser journeys as a violation of the policy.
    html = JINJA.sub("", text)
    return (what for what, pattern in INLINE.items() if pattern.search(html))


def unescaped(name: str, text: str) -> Iterator[str]:
    """Expressions of a template whose escaping is off and that are not on the list of trusted ones."""
    for before in re.findall(r"([\w.\[\]'\"()]+)\s*\|\s*safe\b", text):
        if (name, before) not in TRUSTED:
            yield f"{before}|safe"
    yield from re.findall(r"autoescape\s+false", text)


def unused_imports(text: str) -> set[str]:
    """Names a template imports and never uses."""
    tree = ENVIRONMENT.parse(text)
    imported = {node.target for node in tree.find_all(nodes.Import)}
    for statement in tree.find_all(nodes.FromImport):
        imported |= {name if isinstance(name, str) else name[1] for name in statement.names}
    return imported - {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}


def name_of(path: Path) -> str:
    """The name a template is loaded by: its path below templates/."""
    return "/".join(path.parts[path.parts.index("templates") + 1 :])


def test_there_are_templates() -> None:
    assert list(templates())


def test_no_template_has_inline_code() -> None:
    assert [f"{path}: {what}" for path, text in templates() for what in inline_code(text)] == []


@pytest.mark.parametrize(
    "html",
    [
        '<a href="#" onclick="go()">',
        "<p\n STYLE = 'color:red'>",
        "<script>go()</script>",
        '<script type="module">',
        "<style>p{}</style>",
        '<a href="javascript:go()">',
    ],
)
def test_inline_code_is_seen(html: str) -> None:
    assert list(inline_code(html))


@pytest.mark.parametrize(
    "html", ['<script type="module" src="/a.js"></script>', "{{ button(style='x') }}", "{# onclick= #}"]
)
def test_what_is_not_inline_passes(html: str) -> None:
    assert not list(inline_code(html))


def test_nothing_a_visitor_wrote_goes_out_unescaped() -> None:
    assert [f"{path}: {what}" for path, text in templates() for what in unescaped(name_of(path), text)] == []


def test_an_unescaped_expression_is_seen() -> None:
    assert list(unescaped("page.html", "{{ company.name | safe }}")) == ["company.name|safe"]


def test_every_template_extends_a_base_or_is_used_by_one() -> None:
    trees = {path: ENVIRONMENT.parse(text) for path, text in templates()}
    used = {name for tree in trees.values() for name in meta.find_referenced_templates(tree)}
    alone = [
        str(path)
        for path, tree in trees.items()
        if not tree.find(nodes.Extends) and name_of(path) not in used
    ]
    assert alone == []


def test_no_template_refers_to_one_that_is_not_there() -> None:
    there = {name_of(path) for path, _ in templates()}
    missing = [
        f"{path}: {name}"
        for path, text in templates()
        for name in meta.find_referenced_templates(ENVIRONMENT.parse(text))
        if name is not None and name not in there
    ]
    assert missing == []


def test_no_template_imports_what_it_does_not_use() -> None:
    assert [f"{path}: {name}" for path, text in templates() for name in unused_imports(text)] == []


def test_an_unused_import_is_seen() -> None:
    assert unused_imports('{% import "ui.html" as ui %}{% from "a.html" import b as c, d %}{{ d }}') == {
        "ui",
        "c",
    }
