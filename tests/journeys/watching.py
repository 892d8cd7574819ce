"""What a browser tells when a page runs, loads or links what it should not: nothing may be told."""

from typing import Any

from playwright.sync_api import ConsoleMessage, Dialog, Request

from tests.journeys.visitor import Visitor

# In every document before anything of its own: what runs says so, and so does what the policy stopped.
LISTEN = """() => {
    window.__heard = [];
    window.__hit = () => { window.__heard.push("executed"); console.error("a payload was executed"); };
    document.addEventListener("securitypolicyviolation", report => window.__heard.push(
        `policy: ${report.effectiveDirective} ${report.blockedURI} ${report.sample}`));
}"""
# What is in the page though nobody of ours put it there.
INSPECT = """() => {
    const found = [...window.__heard];
    const hostile = "base, meta[http-equiv], iframe, frame, object, embed, applet, math, marquee, style, xmp, listing,"
        + " plaintext, foreignObject, animate, [data-hit], [style*=url], script:not([src])";
    const addresses = ["href", "src", "action", "formaction", "xlink:href", "data", "srcset", "poster", "ping"];
    const schemes = ["http:", "https:", "mailto:", "tel:", "cid:", "data:"];
    const tell = (one, why) => found.push(`${why}: ${one.outerHTML.slice(0, 160)}`);
    document.querySelectorAll(hostile).forEach(one => {
        if (!one.matches("script[type='application/json']")) tell(one, "element");
    });
    document.querySelectorAll("*").forEach(one => [...one.attributes].forEach(attribute => {
        if (attribute.name.startsWith("on")) tell(one, "handler");
        if (!addresses.includes(attribute.name)) return;
        let url;
        try { url = new URL(attribute.value, document.baseURI); } catch { return; }
        if (!schemes.includes(url.protocol)) tell(one, "address");
        const loads = ["src", "action", "formaction", "srcset", "poster", "ping", "data"].includes(attribute.name);
        if (url.protocol === "data:" ? attribute.name !== "src" : loads && url.hostname !== location.hostname)
            tell(one, "elsewhere");
    }));
    return found;
}"""
SEEN = """() => [document.documentElement.textContent,
    ...[...document.querySelectorAll("input, textarea")].map(one => one.value)].join("\\n")"""


class Watch:
    """Listens to one visitor's browser from now on."""

    def __init__(self, visitor: Visitor, hosts: set[str]) -> None:
        self.visitor, self.hosts = visitor, hosts
        self._heard: list[str] = []
        visitor.context.add_init_script(f"({LISTEN})()")
        visitor.page.on("dialog", self._dialog)
        visitor.page.on("request", self._request)
        visitor.page.on("console", self._console)

    def _dialog(self, dialog: Dialog) -> None:
        self._heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:", *self.hosts)):
            self._heard.append(f"request: {request.url[:160]}")

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "executed" in message.text:
            self._heard.append(f"console: {message.text[:200]}")

    def look(self, path: str) -> list[str]:
        """Open the page; what is wrong with it."""
        self._heard.clear()
        answer = self.visitor.go(path)
        found: list[Any] = [] if answer.status == 200 else [f"status {answer.status}"]
        found += self.visitor.page.evaluate(INSPECT)
        return [*found, *self._heard]

    def seen(self) -> str:
        """What the page shows and what stands in its fields, as text."""
        return str(self.visitor.page.evaluate(SEEN))
