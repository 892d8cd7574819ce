"""Settings from the environment, checked all at once before anything starts."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class SettingsRefused(Exception):
    """Unknown or unusable values; `problems` lists every one of them in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _database(value: str) -> str:
    if not value.startswith(("postgresql://", "postgresql+psycopg://")):
        raise ValueError("must be a postgresql:// address")
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


def _redis(value: str) -> str:
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must be a redis://, rediss:// or unix:// address")
    return value


def _web(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("must be http://host[:port] or https://host[:port] without a path")
    return value.rstrip("/")


def _smtp(value: str) -> str:
    parts = urlsplit(value)
    is_folder = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
    if not is_folder and (parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname):
        raise ValueError(
            "must be smtp://, smtps:// or smtp+starttls://[user:password@]host[:port], or file:///folder"
        )
    return value


def _domain(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,200}[A-Za-z0-9])?", value):
        raise ValueError("must be a domain")
    return value.lower()


def _gateway(value: str) -> str:
    parts = urlsplit(value)
    is_near = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if (
        not parts.hostname
        or parts.username
        or (parts.scheme != "https" and not (parts.scheme == "http" and is_near))
    ):
        raise ValueError("must be https://host[:port][/path]; http only on this machine")
    return value.rstrip("/")


def _number(value: str) -> str:
    if not value.startswith("+") or not value[1:].isdigit() or not 8 <= len(value) <= 16:
        raise ValueError("must be a number like +628123456789")
    return value


def _region(value: str) -> str:
    if len(value) != 2 or not value.isascii() or not value.isupper():
        raise ValueError("must be a country's two letters, like ID")
    return value


def _secret(value: str) -> str:
    if len(value) < 32:
        raise ValueError("must have at least 32 characters")
    return value


def _flag(value: str) -> bool:
    if value not in ("0", "1"):
        raise ValueError("must be 0 or 1")
    return value == "1"


def _language(value: str) -> str:
    if value not in ("id", "en"):
        raise ValueError("must be id or en")
    return value


def _level(value: str) -> str:
    if value not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return value


def _megabytes(value: str) -> int:
    if not value.isdigit() or not 1 <= int(value) <= 10_000:
        raise ValueError("must be a whole number of megabytes from 1 to 10000")
    return int(value)


def _proxies(value: str) -> int:
    if not re.fullmatch("[0-9]", value):
        raise ValueError("must be a whole number from 0 to 9")
    return int(value)


def _setting(name: str, read: Callable[[str], Any], meaning: str, default: str | None = None) -> Any:
    return field(metadata={"name": name, "read": read, "meaning": meaning, "default": default})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting with its environment variable, default and meaning."""

    database_url: str = _setting("DATABASE_URL", _database, "PostgreSQL as the application's login role")
    redis_url: str = _setting(
        "REDIS_URL", _redis, "Redis or Valkey: the doorbell and the counters of rate limits"
    )
    public_url: str = _setting(
        "PUBLIC_URL", _web, "the portal's address: decides scheme, cookie names, HSTS and links"
    )
    secret_key: str = _setting(
        "SECRET_KEY", _secret, "signs cookies, links and job bodies; at least 32 characters"
    )
    files_dir: Path = _setting("FILES_DIR", Path, "folder of attachments and artifacts")
    artifacts_url: str = _setting(
        "ARTIFACTS_URL", _web, "address of the process that serves artifacts to agents; empty: PUBLIC_URL", ""
    )
    proxy_secret: str = _setting(
        "PROXY_SECRET",
        _secret,
        "what the proxy that checks agents' certificates sends as X-Proxy-Secret; empty: no certificates",
        "",
    )
    trusted_proxies: int = _setting(
        "TRUSTED_PROXIES",
        _proxies,
        "how many proxies of ours stand in front, each adding to X-Forwarded-For; 0: callers connect directly",
        "0",
    )
    live_url: str = _setting(
        "LIVE_URL", _web, "address of the process that serves streams to browsers; empty: PUBLIC_URL", ""
    )
    mail_url: str = _setting(
        "MAIL_URL", _smtp, "outgoing mail: an SMTP server, or a folder", "smtp://127.0.0.1:25"
    )
    mail_from: str = _setting("MAIL_FROM", str, "sender of the portal's mail", "portal@localhost")
    mail_reply_domain: str = _setting(
        "MAIL_REPLY_DOMAIN", _domain, "domain of the reply addresses in mails about tickets; empty: none", ""
    )
    mail_edge: str = _setting(
        "MAIL_EDGE",
        _domain,
        "name of one's own mail server in Authentication-Results; empty: no sender counts as verified",
        "",
    )
    mail_megabytes: int = _setting(
        "MAIL_MEGABYTES", _megabytes, "largest mail that is taken in, in megabytes", "64"
    )
    messages_url: str = _setting(
        "MESSAGES_URL", _gateway, "gateway of SMS and WhatsApp in Twilio's form; empty: switched off", ""
    )
    messages_account: str = _setting("MESSAGES_ACCOUNT", str, "account at that gateway", "")
    messages_token: str = _setting(
        "MESSAGES_TOKEN", _secret, "token of that account: signs what comes, opens what goes", ""
    )
    messages_from: str = _setting("MESSAGES_FROM", _number, "number from which texts go out", "")
    phone_region: str = _setting(
        "PHONE_REGION", _region, "country of telephone numbers that are typed without one", "ID"
    )
    provider_name: str = _setting(
        "PROVIDER_NAME", str, "the provider's name on pages and mails", "MSP Portal"
    )
    language: str = _setting("LANGUAGE_DEFAULT", _language, "language where nobody chose one: id or en", "id")
    log_level: str = _setting("LOG_LEVEL", _level, "DEBUG, INFO, WARNING or ERROR", "INFO")
    metrics_token: str = _setting(
        "METRICS_TOKEN", str, "bearer token of /metrics; empty: /metrics is closed", ""
    )
    upload_megabytes: int = _setting("UPLOAD_MEGABYTES", _megabytes, "largest attachment, in megabytes", "25")
    release_megabytes: int = _setting(
        "RELEASE_MEGABYTES", _megabytes, "largest upload of a release's files, in megabytes", "4096"
    )
    demo: bool = _setting(
        "PORTAL_DEMO", _flag, "1 in the demo only: staff may sign in without a second factor", "0"
    )


def _read_one(one: Any, environ: Mapping[str, str]) -> Any:
    name, default = one.metadata["name"], one.metadata["default"]
    raw = environ.get(name, default)
    if raw is None:
        raise ValueError("is not set")
    if raw == "" and default == "":
        return ""
    return one.metadata["read"](raw)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read every setting. Raises SettingsRefused with all problems at once."""
    environ = os.environ if environ is None else environ
    values, problems = {}, []
    for one in fields(Settings):
        try:
            values[one.name] = _read_one(one, environ)
        except ValueError as problem:
            problems.append(f"{one.metadata['name']} {problem}")
    known = {one.metadata["name"] for one in fields(Settings)} | {
        "PORTAL_SAMPLE_INCIDENTS",
        "PORTAL_PG_BINDIR",
    }
    problems += [f"{name} is unknown" for name in environ if name.startswith("PORTAL_") and name not in known]
    gateway = [
        values.get(name) for name in ("messages_url", "messages_account", "messages_token", "messages_from")
    ]
    if any(gateway) and not all(gateway):
        problems.append("MESSAGES_URL, MESSAGES_ACCOUNT, MESSAGES_TOKEN and MESSAGES_FROM go together")
    if problems:
        raise SettingsRefused(problems)
    return Settings(**values)


def flask_config(settings: Settings) -> dict[str, Any]:
    """What Flask and its extensions read, derived from the settings."""
    secure = settings.public_url.startswith("https://")
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_use_lifo": True, "pool_size": 5, "max_overflow": 15},
        "SESSION_COOKIE_NAME": "__Host-portal" if secure else "portal",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "PREFERRED_URL_SCHEME": urlsplit(settings.public_url).scheme,
        "MAX_CONTENT_LENGTH": settings.upload_megabytes * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "MAX_FORM_PARTS": 500,
        "WTF_CSRF_TIME_LIMIT": 12 * 3600,
        "WTF_CSRF_SSL_STRICT": False,
        "BABEL_DEFAULT_LOCALE": settings.language,
        "BABEL_TRANSLATION_DIRECTORIES": str(Path(__file__).parent / "translations"),
        "LANGUAGES": ("id", "en"),
        "RATELIMIT_STORAGE_URI": settings.redis_url.replace("unix://", "redis+unix://", 1),
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        "RATELIMIT_HEADERS_ENABLED": True,
    }
