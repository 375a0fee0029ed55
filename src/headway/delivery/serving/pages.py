"""The two pages of a server, to try the model and to read what it takes; nothing comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from starlette.responses import HTMLResponse

_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


@cache
def page(name: str) -> HTMLResponse:
    """Return a page; a browser runs the page's own script and nothing that a text brings.

    Args:
        name: Of a file beside this one.
    """
    content = (files(__package__) / name).read_text(encoding="utf-8")
    allowed = {kind: f"'sha256-{_sum(inside)}'" for kind, inside in _INLINE.findall(content)}
    policy = (
        f"default-src 'none'; style-src {allowed['style']}; script-src {allowed['script']}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return HTMLResponse(content, headers=headers)


def _sum(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
