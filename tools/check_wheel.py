"""Is a wheel what users need? ``python tools/check_wheel.py WHEEL``: size, platform, licences, and a bare Debian.

The bare Debian is what ``debootstrap`` calls minbase, with Python (and libatomic, for pedalboard): no compiler, ALSA
or X. It needs root, and is kept for the next time. Where it cannot be made, the reason is said and the rest is checked.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

MOST_BYTES = 15_000_000
OLDEST_GLIBC = (2, 34)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "forestage" / "bare-debian-12"
PACKAGES = ("python3", "python3-venv", "libatomic1")  # the last is what pedalboard's own wheel needs
INSIDE = Path(__file__).resolve().with_name("in_bare_root.sh")


def say(line):
    """Print at once: what follows takes its time."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def check_files(wheel):
    """Size and licences."""
    size = wheel.stat().st_size
    assert size < MOST_BYTES, f"{wheel}: {size} bytes; less than {MOST_BYTES} would be right"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    licences = [name for name in names if re.search(r"\.dist-info/licenses/licenses/(?!README).+", name)]
    assert licences, f"{wheel}: no licences of the libraries in it"
    say(f"{wheel.name}: {size / 1e6:.1f} MB, licences of {len(licences)} libraries")


def check_platform(wheel):
    """As auditwheel judges it: the oldest glibc, and nothing else of the system."""
    report = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", wheel], check=True, capture_output=True, text=True
    ).stdout
    text = " ".join(report.split())
    glibc = re.search(r'following platform tag: "manylinux_(\d+)_(\d+)_', text)
    assert glibc, report
    assert tuple(map(int, glibc.groups())) <= OLDEST_GLIBC, report
    say(f"auditwheel: manylinux_{glibc[1]}_{glibc[2]}, as it is")


def bare_root():
    """Folder of the bare Debian, or the reason why there is none."""
    if os.geteuid() != 0:
        return None, "only root can make and enter it"
    if shutil.which("debootstrap") is None:
        return None, "debootstrap is not installed"
    if not (CACHE / "done").exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        words = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "bookworm", CACHE]
        made = subprocess.run(words, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            return None, f"debootstrap failed: {made.stdout.splitlines()[-1:]}"
        (CACHE / "done").touch()
    return CACHE, ""


def check_in_bare_root(wheel):
    """Install it there, with all that it depends on, and use it."""
    root, reason = bare_root()
    if root is None:
        say(f"not tried in a bare Debian: {reason}")
        return
    with tempfile.TemporaryDirectory(dir=root / "tmp") as folder:
        desk = Path(folder)
        desk.chmod(0o755)
        subprocess.run([sys.executable, "-m", "pip", "-q", "download", "-d", desk / "wheels", wheel], check=True)
        shutil.copy(INSIDE, desk)
        inside = "/" + str(desk.relative_to(root))
        bare = ["env", "-i", "PATH=/usr/bin:/bin", f"HOME={inside}", "LC_ALL=C.UTF-8"]
        subprocess.run(["chroot", root, *bare, "bash", f"{inside}/{INSIDE.name}", inside], check=True)


def main(wheel):
    """Check one wheel."""
    check_files(wheel)
    check_platform(wheel)
    check_in_bare_root(wheel)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
