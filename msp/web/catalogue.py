"""The catalogues of translations: `python -m msp.web.catalogue update|check|compile`.

`update` writes every message of the code into the .po files and drops those that are gone; `check` refuses when that
would add or drop one or when a message has no translation; `compile` makes the .mo files that the portal reads.
"""

import argparse
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import wtforms
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from contracts.clock.faults import MESSAGES

ROOT = Path(__file__).parents[2]
FOLDERS = ("tenants", "contracts", "msp", "templates")
TRANSLATIONS = ROOT / "msp" / "translations"
# English is the source. Indonesian has no plural: its one form stands for any number.
LANGUAGES = {"id": "nplurals=1; plural=0;"}
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
OPTIONS = {
    pattern: {"trimmed": "true", "silent": "false"} for pattern, method in METHODS if method == "jinja2"
}
NOT_OURS = {"node_modules", "static", "translations", "__pycache__", "styleguide"}
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


def path_of(language: str) -> Path:
    """Where a language's catalogue lies."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """The catalogue as it is on disk; an empty one where there is none yet."""
    path = path_of(language)
    text = path.read_bytes() if path.exists() else _header(language)
    return read_po(BytesIO(text), locale=language)


def extract() -> Catalog:
    """Every message that people may read, with the files that say it."""
    found = Catalog(charset="utf-8")
    for folder in FOLDERS:
        _extract_folder(folder, found)
    for text in MESSAGES.values():
        found.add(text, locations=[("contracts/clock/faults.py", 0)])
    for message in _of_form_library():
        found.add(message.id, locations=[("wtforms", 0)], flags=message.flags)
    return found


def _extract_folder(folder: str, found: Catalog) -> None:
    messages = extract_from_dir(
        ROOT / folder,
        method_map=METHODS,
        options_map=OPTIONS,
        keywords=KEYWORDS,
        directory_filter=lambda path: Path(path).name not in NOT_OURS,
    )
    for file, _line, text, _comments, context in messages:
        found.add(text, locations=[(f"{folder}/{file}", 0)], context=context)


def _of_form_library() -> Iterator[Message]:
    """WTForms speaks many languages, but not Indonesian."""
    template = Path(wtforms.__file__).parent / "locale" / "wtforms.pot"
    with template.open("rb") as file:
        yield from (message for message in read_po(file) if message.id)


def merged(language: str, found: Catalog) -> Catalog:
    """The messages of the code with the translations that are there: no guesses, nothing obsolete."""
    old, new = read(language), read_po(BytesIO(_header(language)), locale=language)
    for message in found:
        if not message.id:
            continue
        before = old.get(message.id, message.context)
        new.add(
            message.id,
            _usable(message, before),
            locations=sorted(set(message.locations)),
            flags=message.flags,
            context=message.context,
        )
    return new


def _usable(message: Message, before: Message | None) -> Any:
    same_shape = before is not None and isinstance(before.id, tuple) == isinstance(message.id, tuple)
    return before.string if before is not None and same_shape else None


def as_text(language: str, catalogue: Catalog) -> bytes:
    """The catalogue as a file: sorted, without dates and line numbers, so that a change shows what changed."""
    text = BytesIO()
    write_po(text, catalogue, width=110, omit_header=True, sort_output=True, include_lineno=False)
    return _header(language) + text.getvalue().lstrip(b"\n")


def _header(language: str) -> bytes:
    return HEADER.format(language=language, plural=LANGUAGES[language]).encode()


def update() -> list[str]:
    """Write the messages of the code into the files; return how each language stands."""
    found = extract()
    for language in LANGUAGES:
        path_of(language).parent.mkdir(parents=True, exist_ok=True)
        path_of(language).write_bytes(as_text(language, merged(language, found)))
    return [
        f"{language}: {len(missing(read(language)))} of {len(found)} to translate" for language in LANGUAGES
    ]


def check() -> list[str]:
    """What is wrong with the files, a line each."""
    found, wrong = extract(), []
    for language in LANGUAGES:
        now = merged(language, found)
        if _ids(read(language)) != _ids(now):
            wrong.append(f"{language}: the messages changed; run `python -m msp.web.catalogue update`")
        wrong += [f"{language}: not translated: {message.id!r}" for message in missing(now)]
    return wrong


def _ids(catalogue: Catalog) -> set[object]:
    """Which messages there are; where they are said may differ."""
    return {(message.context, message.id) for message in catalogue if message.id}


def missing(catalogue: Catalog) -> list[Message]:
    """The messages without a translation, or with one that is only guessed."""
    return [message for message in catalogue if message.id and (message.fuzzy or not _complete(message))]


def _complete(message: Message) -> bool:
    return all(message.string) if isinstance(message.string, (tuple, list)) else bool(message.string)


def compile_all() -> list[str]:
    """Make the files that the portal reads."""
    for language in LANGUAGES:
        with path_of(language).with_suffix(".mo").open("wb") as file:
            write_mo(file, read(language))
    return []


def main(arguments: list[str] | None = None) -> int:
    """Carry out one command; 1 when `check` found something wrong."""
    parser = argparse.ArgumentParser(prog="python -m msp.web.catalogue", description=__doc__)
    parser.add_argument("command", choices=("update", "check", "compile"))
    command = parser.parse_args(arguments).command
    lines = {"update": update, "check": check, "compile": compile_all}[command]()
    print("\n".join(lines), end="\n" if lines else "")
    return int(command == "check" and bool(lines))


if __name__ == "__main__":
    sys.exit(main())
