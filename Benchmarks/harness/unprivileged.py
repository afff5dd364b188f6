"""Runs ddirect-proxy as its unit does: as a user without a single capability (deploy/systemd/ddirect-proxy.service).

What the kernel grants a user is part of what is measured: beyond fs.pipe-user-pages-soft an unprivileged process gets pipes of two pages, and root
gets all that it wants.
"""

import os
import pathlib
import shutil

# nobody, as a number: there is one everywhere.
USER = 65534


def applies():
    """Whether we have privileges that could be given up."""
    return os.geteuid() == 0


def program(path, folder):
    """Where that user can run a program from: a copy in `folder`, since those above ours may be closed to others. The folder becomes the user's."""
    if not applies():
        return path
    os.chown(folder, USER, USER)
    copy = pathlib.Path(folder, path.name)
    if not copy.exists() or copy.stat().st_mtime < path.stat().st_mtime:
        shutil.copy(path, copy)
        copy.chmod(0o755)
    return copy


def command(arguments):
    """The command that runs another one so. Without privileges it already does."""
    if not applies():
        return arguments
    return [
        "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
        "--no-new-privs", "--", *arguments]
