"""A real IMAP server for one test: Debian's dovecot, unprivileged, on loopback, without TLS."""

import getpass
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"
USER, PASSWORD = "help", "a-password-of-the-tests"
CONFIG = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 0
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home allow_all_users=yes
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service stats {{
  chroot =
}}
"""


def is_there() -> bool:
    """Whether this machine has the server."""
    return Path(DOVECOT).exists()


@contextmanager
def server() -> Iterator[int]:
    """Serve until the block ends; gives the port. Raises RuntimeError with the server's log when it does not start."""
    port, who = _free_port(), pwd.getpwnam("nobody" if os.getuid() == 0 else getpass.getuser())
    with tempfile.TemporaryDirectory(prefix="imap-") as name:
        folder = Path(name)
        config = folder / "dovecot.conf"
        group = grp.getgrgid(who.pw_gid).gr_name
        places = {"user": who.pw_name, "group": group, "uid": who.pw_uid, "gid": who.pw_gid}
        config.write_text(CONFIG.format(folder=folder, port=port, password=PASSWORD, **places))
        for one in (folder, *(folder / name for name in ("run", "state", "mail", "home"))):
            one.mkdir(exist_ok=True)
            os.chown(one, who.pw_uid, who.pw_gid)
        # The server refuses to sign people in as root.
        drop = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        process = subprocess.Popen([DOVECOT, "-F", "-c", str(config)], stderr=subprocess.DEVNULL, **drop)
        try:
            _await(port, process, folder / "log")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the server greets, for at most twenty seconds."""
    until = monotonic() + 20
    while process.poll() is None and monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as probe:
                if probe.recv(20).startswith(b"* OK"):
                    return
        except OSError:
            # Nobody listens yet; asking again costs less than guessing how long it takes.
            os.sched_yield()
    raise RuntimeError(log.read_text() if log.exists() else "the IMAP server did not start")
