"""How much of a name or a number a page shows (DESIGN_LANGUAGE §4)."""

_FULL_NAME = 2


def mask_name(name: str) -> str:
    """First and last character: 张*明, 赵*."""
    if len(name) <= _FULL_NAME:
        return name[:1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_phone(phone: str) -> str:
    """First 3 and last 4 digits of a mainland number, with or without +86."""
    return _ends(phone.removeprefix("+86"), 3, 4)


def mask_id_number(number: str) -> str:
    """First 4 and last 4 characters."""
    return _ends(number, 4, 4)


def _ends(text: str, first: int, last: int) -> str:
    if len(text) <= first + last:
        return "*" * len(text)
    return text[:first] + "*" * (len(text) - first - last) + text[-last:]
