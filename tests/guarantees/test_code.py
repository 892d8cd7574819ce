"""What must never appear in the code, read from its syntax trees."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("tenants", "contracts", "msp")
SOURCES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "node_modules" not in path.parts and "versions" not in path.parts
)

# Raw SQL text is outside the query guard; each file here has a reason.
RAW_SQL = {
    "msp/web/health.py": "reads the migrations' version",
    "tenants/foundation/db.py": "sets role and scope for the transaction",
    "tenants/foundation/rowsecurity.py": "is the wall itself",
    "tenants/foundation/work.py": "conditions of partial indexes",
    "msp/database.py": "runs as owner, outside any request",
}
READS_NOW = {"tenants/foundation/time.py"}


def _tree(path):
    return ast.parse(path.read_text(), filename=str(path))


def _name(path):
    return str(path.relative_to(ROOT))


def _calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _dotted(node):
    return ast.unparse(node)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_banned_constructs(path):
    tree = _tree(path)
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    assert not imported & {"pickle", "marshal", "shelve", "sqlite3"}
    for call in _calls(tree):
        called = _dotted(call.func)
        assert not called.endswith(("render_template_string", ".from_string")), called
        assert called not in ("eval", "exec", "os.system", "os.popen"), called
        shell = [word for word in call.keywords if word.arg == "shell"]
        assert not shell, f"{called} with a shell"


@pytest.mark.parametrize(
    "path", [one for one in SOURCES if "agent/" not in _name(one) and "embedded" not in _name(one)], ids=_name
)
def test_now_has_one_source(path):
    if _name(path) in READS_NOW:
        return
    for call in _calls(_tree(path)):
        assert _dotted(call.func) not in (
            "datetime.now",
            "datetime.utcnow",
            "datetime.today",
            "date.today",
            "time.time",
        ), call.lineno


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_raw_sql_stays_on_its_list(path):
    raw = {"exec_driver_sql", "text"}
    found = [
        call.lineno
        for call in _calls(_tree(path))
        if _dotted(call.func).split(".")[-1] in raw and not _is_index_condition(call, path)
    ]
    assert not found or _name(path) in RAW_SQL, f"raw SQL at lines {found}"


def _is_index_condition(call, path):
    """Conditions of partial indexes and checks in models are text by nature and never run as queries."""
    return path.name.endswith("models.py") and _dotted(call.func) == "text"


@pytest.mark.parametrize(
    "path",
    [one for one in SOURCES if one.name in ("rules.py", "codes.py") or "contracts/clock" in _name(one)],
    ids=_name,
)
def test_rules_are_pure(path):
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0]
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom)
    }
    assert not imported & {"sqlalchemy", "flask", "redis", "rq"}


@pytest.mark.parametrize(
    "path", [one for one in SOURCES if one.name in ("routes.py", "queries.py", "rules.py")], ids=_name
)
def test_services_alone_write(path):
    """Routes have no queries of their own, and queries no writes."""
    if path.name != "queries.py":
        return
    for call in _calls(_tree(path)):
        assert not _dotted(call.func).startswith(
            ("db.session.add", "db.session.delete", "db.session.commit")
        ), call.lineno


@pytest.mark.parametrize("path", [one for one in SOURCES if one.name == "services.py"], ids=_name)
def test_services_never_commit(path):
    for call in _calls(_tree(path)):
        assert _dotted(call.func) != "db.session.commit", call.lineno


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_only_onboarding_widens_a_scope(path):
    if _name(path) in ("tenants/foundation/scope.py", "tenants/tenancy/services.py"):
        return
    assert not [call for call in _calls(_tree(path)) if _dotted(call.func) in ("widen", "scope.widen")]


def test_nothing_names_the_workplace():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    banned = re.compile(
        r"\.\./shared|/work/(main|shared)|/opt/(wheels|pypi)|registry\.npmjs|files\.pythonhosted|pypi\.org"
    )
    for name in tracked:
        path = ROOT / name
        if path.is_file() and name != "tests/guarantees/test_code.py":
            assert not banned.search(path.read_text(errors="ignore")), name
