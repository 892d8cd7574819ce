"""`next` leads to pages of ours and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp.account.following import safe_next

OURS = [
    "/",
    "/account",
    "/account/security",
    "/account/tokens?after=abc",
    "/portal/people",
    "/console/staff?x=1&y=2",
    "/account?next=https://evil.example",
]
ELSEWHERE = [
    "https://evil.example",
    "http://evil.example/account",
    "HTTPS://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/account",
    "//evil.example/account",
    "//portal.test@evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "//evil%2eexample",
    "/%2f/evil.example",
    "/%2fevil.example",
    "%2f%2fevil.example",
    "/%5cevil.example",
    "/%5c%5cevil.example",
    "/%09/evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/account\r\nLocation: https://evil.example",
    "/account%0d%0aSet-Cookie:a=b",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "javascript://portal.test/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "ftp://evil.example",
    "mailto:a@evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "http:/\\evil.example",
    "://evil.example",
    ":evil.example",
    "evil.example",
    "evil.example/account",
    "www.evil.example",
    "portal.test.evil.example",
    "portal.test@evil.example",
    "@evil.example",
    "/@evil.example",
    "/.evil.example",
    "/../evil.example",
    "/./evil.example",
    "/..//evil.example",
    "/account/..//evil.example",
    "/account//evil.example",
    "//[::1]/",
    "//2130706433/",
    "//127.0.0.1",
    "/;@evil.example",
    "/?next=//evil.example#//evil.example\\",
    "/\u2028/evil.example",
    "/\u3002evil.example",
    "/\uff0fevil.example",
    "\uff0f\uff0fevil.example",
    "/\u2044evil.example",
    "/\x00account",
    "/account\x00",
    "/account\x7f",
    "?//evil.example",
    "#//evil.example",
    "",
    "/" + "a" * 3000,
    "/sign-in",
    "/sign-out",
    "/sign-in/second-factor",
    "/static/css/portal.css",
    "/api/v1/tickets",
    "/metrics",
    "/healthz",
    "/no/such/page",
    "/language",
    "/company",
    "/account/",
    "/account/recovery-codes",
]


@pytest.fixture
def inside(app):
    with app.app_context():
        yield


@pytest.mark.parametrize("target", OURS)
def test_our_pages_are_followed(inside, target):
    assert safe_next(target) == target


@pytest.mark.parametrize("target", ELSEWHERE)
def test_everything_else_is_not(inside, target):
    assert safe_next(target) is None


def test_the_corpus_is_large_enough():
    assert len(set(ELSEWHERE)) >= 60


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "/",
                "\\",
                "//",
                "@",
                ":",
                "%2f",
                "%5c",
                "evil.example",
                "account",
                "http",
                "\t",
                "?",
                "#",
                ".",
                ";",
            ]
        ),
        max_size=8,
    ).map("".join)
)
def test_whatever_is_followed_is_a_plain_path_of_ours(app, target):
    with app.app_context():
        followed = safe_next(target)
    assert followed is None or (
        followed.startswith("/")
        and followed[1:2] not in ("/", "\\")
        and followed.isascii()
        and followed.isprintable()
    )


@pytest.mark.parametrize("target", ELSEWHERE[:20])
def test_no_answer_of_the_sign_in_leads_away(browser, target):
    here = browser()
    shown = here.client.get("/sign-in", query_string={"next": target})
    assert '<input id="next" name="next" type="hidden" value="">' in shown.get_data(as_text=True)
    answer = here.sign_in("Alice", next=target)
    assert answer.location == "/"
    switched = here.client.post("/language", data={"language": "en", "next": target})
    assert switched.location == "/"
