"""What a release is made of: lines that people type, read strictly."""

import pytest

from msp.campaigns import contents
from msp.campaigns.contents import Unfit


def test_packages_are_named_with_their_versions():
    assert contents.read_packages("openssl 3.0.15-1~deb12u1\n\n  tzdata  2026a-0+deb12u1 ") == [
        {"name": "openssl", "version": "3.0.15-1~deb12u1"},
        {"name": "tzdata", "version": "2026a-0+deb12u1"},
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "none"),
        ("openssl", "package"),
        ("openssl 3.0; reboot", "package"),
        ("openssl $(id)", "package"),
        ("-o=x 1.0", "package"),
        ("OpenSSL 1.0", "package"),
        ("a 1\na 2", "package"),
        ("tzdata 1\ntzdata 2", "twice"),
        ("x" * 120 + " 1", "package"),
        ("\n".join(f"p{n} 1" for n in range(51)), "too many"),
    ],
)
def test_unfit_packages(text, code):
    with pytest.raises(Unfit) as unfit:
        contents.read_packages(text)
    assert (unfit.value.field, unfit.value.code) == ("packages", code)


LINES = (
    "disk_free_mb / 500",
    "service_active nginx",
    "file_present /etc/hosts",
    "tcp_port_open 443",
    "package_at_least openssl 3.0",
)


def test_checks_are_read_and_written_alike():
    read = contents.read_checks("\n".join(LINES), "checks_before")
    assert [one["kind"] for one in read] == [line.split()[0] for line in LINES]
    assert tuple(contents.written_check(one) for one in read) == LINES


@pytest.mark.parametrize(
    "line",
    [
        "run rm -rf /",
        "tcp_port_open 70000",
        "tcp_port_open -1",
        "file_present ../etc",
        "file_present /a/../b",
        "disk_free_mb / many",
        "service_active a;b",
        "disk_free_mb relative 1",
    ],
)
def test_unknown_checks_are_refused_with_their_line(line):
    with pytest.raises(Unfit) as unfit:
        contents.read_checks(f"tcp_port_open 443\n{line}", "checks_after")
    assert (unfit.value.field, unfit.value.code, unfit.value.line) == ("checks_after", "check", line)


def test_each_kind_needs_its_own():
    assert contents.spec_of("file") == {}
    assert contents.spec_of("deb", packages="tzdata 1", reboot="if_needed") == {
        "packages": [{"name": "tzdata", "version": "1"}],
        "reboot": "if_needed",
    }
    script = contents.spec_of("script", interpreter="/bin/sh", timeout_seconds=60)
    assert script == {"interpreter": "/bin/sh", "timeout_seconds": 60, "reboot": "never"}
    for wrong in ({"interpreter": "/bin/bash"}, {"interpreter": "/bin/sh", "timeout_seconds": 0}):
        with pytest.raises(Unfit):
            contents.spec_of("script", **wrong)


def test_a_platform_names_only_what_it_limits():
    assert contents.read_platform("Debian, ubuntu", "", None) == {"systems": ["debian", "ubuntu"]}
    assert contents.read_platform("", "amd64", 200) == {"architectures": ["amd64"], "least_disk_mb": 200}
    with pytest.raises(Unfit):
        contents.read_platform("debian<script>", "", None)
