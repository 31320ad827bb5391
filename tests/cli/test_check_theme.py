"""`flask statuspage check-theme` as an operator runs it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_commands import Shell, make_shell, migrated, shell

__all__ = ["make_shell", "migrated", "shell"]  # fixtures


def test_pages_with_their_own_colours(shell: Shell) -> None:
    """Without a file every page is checked, each pair with its ratio and what is asked of it."""
    output = shell.output("check-theme")
    assert (
        "Status (main), light:\n  ok    text on bg: #1b1f24 on #fff, 16.56:1, at least 4.5:1"
        in output
    )
    assert "(main), dark:" in output
    assert "at least 3:1" in output
    assert output.endswith(" pairs are fine.\n")
    assert "FAIL" not in output
    assert "There is no page 'nowhere'" in shell.complaint("check-theme", "--page", "nowhere")


def test_a_stylesheet(shell: Shell, tmp_path: Path) -> None:
    """A stylesheet of the site that makes something hard to read ends with exit code 1; what it does not say stays."""
    file = tmp_path / "site.css"
    file.write_text(":root { --ink: #bbb } .sp { --sp-muted: var(--ink) }", encoding="utf-8")
    done = shell.run("check-theme", str(file))
    assert done.returncode == 1
    assert "FAIL  muted on bg: #bbb on #fff, 1.91:1, at least 4.5:1" in done.stdout
    assert "ok    muted on bg: #bbb on #11151a, " in done.stdout
    assert "Error: 2 of " in done.stderr
    file.write_text(
        ".sp { --sp-muted: #444 } @media (prefers-color-scheme: dark) {.sp {--sp-muted: #ccc}}"
    )
    assert "pairs are fine" in shell.output("check-theme", str(file), "--page", "main")


def test_json(shell: Shell, tmp_path: Path) -> None:
    """The colours of a page can be tried before they are set."""
    file = tmp_path / "brand.json"
    file.write_text('{"primary": "#ff0"}')
    done = shell.run("check-theme", str(file))
    assert done.returncode == 1
    assert done.stdout.count("FAIL  white on primary: #ffffff on #ff0, 1.07:1") == 2
    file.write_text('{"primary": "#004400", "dark-link": "#ddd"}')
    assert "pairs are fine" in shell.output("check-theme", str(file))


def test_what_cannot_be_read(shell: Shell, tmp_path: Path) -> None:
    """A file that is not there or none of these, a wrong token and a colour in another form are told in one line."""
    file = tmp_path / "x.css"
    assert "x.css" in shell.complaint("check-theme", str(file))
    file.write_text(".sp { --sp-background: #fff }")
    assert "--sp-background" in shell.complaint("check-theme", str(file))
    for text in ("[]", '["bg"]', '"bg"', "{}", "", "p { color: red }", "/* --sp-bg: #fff */"):
        file.write_text(text)
        assert "token" in shell.complaint("check-theme", str(file)), text
    file.write_text('{"backround": "#fff"}')
    assert "'backround'" in shell.complaint("check-theme", str(file))
    file.write_text('{"bg": ')
    assert "no JSON" in shell.complaint("check-theme", str(file))
    file.write_bytes(b"\xff\xfe\xff")
    assert "cannot be read" in shell.complaint("check-theme", str(file))
    file.write_text(".sp { --sp-text: rebeccapurple }")
    done = shell.run("check-theme", str(file))
    assert done.returncode == 1
    assert "rebeccapurple on #fff cannot be computed; write #rgb or #rrggbb" in done.stdout
