"""Debian's own kernel in a virtual machine that has this machine's files, for what the running kernel lacks.

The guest sees the host's files at their own paths and can change none of them: what it writes stays in its
memory. Its job answers on a serial line, and its console is kept for the day when something goes wrong. The
processor is emulated, so that no KVM is needed; programs take about ten times as long in there.

`tools/guest` gets what this needs, and docs/decisions/0005-guest-kernel.md has the reasons. As a program: a
shell in there.
"""

import os
import platform
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

REPOSITORY = Path(__file__).resolve().parent.parent
UNPACKED = REPOSITORY / "build/guest"
"""Debian's kernel and busybox, as `tools/guest` leaves them."""
INIT = Path(__file__).with_name("guest-init")

QEMU = "qemu-system-x86_64"
PROCESSORS = 2
MEMORY = "2G"
"""At most, and what the guest writes to files is part of it."""
MODULES = ("virtio_pci", "9p", "9pnet_virtio", "overlay")
"""What it takes to see the host's files; all others are loaded from there as they are needed."""
BOOT_ARGUMENTS = (
    "console=ttyS0",
    "loglevel=5",
    "panic=-1",
    # Emulation makes these dear: returns that are calls in disguise, and a clock that is read from a device.
    "mitigations=off",
    "tsc=reliable",
)

ANSWERS = "/dev/ttyS1"
"""Where the job answers, in the guest."""
SLOWNESS = 5
"""Deadlines are so many times longer in there."""
BOOT_SECONDS = 300.0
"""It takes ten on an idle machine, and then the job has to start."""
LAST_WORDS = 30
"""Lines of the console that are shown."""


class GuestError(Exception):
    """There is no answer, and none will come; the message ends with the console's last lines."""


def unavailable() -> str | None:
    """Why there can be no guest on this machine, or None."""
    if platform.machine() != "x86_64":
        return f"it is made for x86_64, and this machine is {platform.machine()}"
    for program in (QEMU, "modprobe"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if (UNPACKED / "ready").exists():
        return None
    missing = UNPACKED / "missing"
    return missing.read_text().strip() if missing.exists() else "build/guest is empty; make test fills it"


class Guest:
    """A running guest, or what else answers to a job; it ends with `stop`, or with this process."""

    def __init__(self, command: Callable[[Path, int], Sequence[str]]) -> None:
        """Start it.

        Args:
            command: makes the command line, given a directory of its own and the file descriptor for answers.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="tasuki-guest-")
        self._console = Path(self._directory.name, "console")
        self._unread = b""
        self._answers, answers = os.pipe()
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                # A test run that is killed outright takes its guest along.
                ["setpriv", "--pdeathsig", "KILL", *command(Path(self._directory.name), answers)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                pass_fds=(answers,),
                start_new_session=True,
            )
        os.close(answers)

    @classmethod
    def boot(cls, job: Sequence[str]) -> Self:
        """Boot the guest for one job, which writes to `ANSWERS`."""

        def command(directory: Path, answers: int) -> Sequence[str]:
            _make_initramfs(directory, _script(job, "</dev/null"))
            return [
                *_emulator(directory),
                *("-serial", "stdio"),
                *("-chardev", f"file,id=answers,path=/proc/self/fd/{answers}", "-serial", "chardev:answers"),
            ]

        return cls(command)

    def answer(self, *, within: float) -> str | None:
        """The next line that the job wrote, or None after its last one.

        Raises:
            GuestError: none came within so many seconds.
        """
        deadline = time.monotonic() + within
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise GuestError(f"the guest said nothing for {within:g} s; {self.last_words()}")
            arrived = os.read(self._answers, 1 << 16)
            if not arrived:
                return None
            self._unread += arrived
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode().rstrip("\r")

    def last_words(self) -> str:
        """The end of the console, as part of a message."""
        lines = self._console.read_text(errors="replace").splitlines()
        return "\n".join(["its console's last lines:", *lines[-LAST_WORDS:]])

    def stop(self) -> None:
        """End it at once, if it has not ended; nothing in there is worth a shutdown."""
        self._process.kill()
        self._process.wait()
        os.close(self._answers)
        self._directory.cleanup()


def _script(job: Sequence[str], redirections: str) -> str:
    """What the guest does once it has its files: its process 1, which outlives the job."""
    return "\n".join(
        [
            "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux",
            f"export TMPDIR=/run/tmp TASUKI_SLOWNESS={SLOWNESS}",
            f"cd {shlex.quote(str(REPOSITORY))}",
            f"{shlex.join(job)} {redirections}",
            f"{UNPACKED}/bin/busybox poweroff -f",
        ]
    )


def _emulator(directory: Path) -> list[str]:
    """QEMU without anything that we do not name, KVM least of all: there are machines that it hangs."""
    return [
        *(QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"),
        *("-smp", str(PROCESSORS), "-m", MEMORY),
        *("-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=host,mount_tag=host"),
        *("-kernel", str(next((UNPACKED / "boot").glob("vmlinuz-*")))),
        *("-initrd", str(directory / "initramfs")),
        *("-append", " ".join(BOOT_ARGUMENTS)),
    ]


def _make_initramfs(directory: Path, script: str) -> None:
    """Write the guest's first file system: init, busybox, the first modules, and the job."""
    tree = directory / "tree"
    for name in ("bin", "dev", "host", "job", "modules", "overlay", "proc", "root", "sys"):
        (tree / name).mkdir(parents=True)
    busybox = UNPACKED / "bin/busybox"
    shutil.copy(INIT, tree / "init")
    shutil.copy(busybox, tree / "bin/busybox")
    for applet in subprocess.check_output([busybox, "--list"], text=True).split():
        if applet != "busybox":
            (tree / "bin" / applet).symlink_to("busybox")
    modules = _modules()
    for module in modules:
        shutil.copy(module, tree / "modules" / module.name)
    (tree / "modules/order").write_text("".join(f"{module.name}\n" for module in modules))
    (tree / "job/modules").write_text(f"{UNPACKED}/lib/modules\n")
    (tree / "job/start").write_text(script)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    with (directory / "initramfs").open("wb") as archive:
        pack = [str(busybox), "cpio", "-o", "-H", "newc"]
        subprocess.run(
            pack, cwd=tree, input=names.encode(), stdout=archive, stderr=subprocess.DEVNULL, check=True
        )
    shutil.rmtree(tree)


def _modules() -> list[Path]:
    """The first modules' files, what each one depends on before it."""
    (release,) = (directory.name for directory in (UNPACKED / "lib/modules").iterdir())
    files: dict[Path, None] = {}
    for module in MODULES:
        shown = subprocess.check_output(
            ["modprobe", "--dirname", UNPACKED, "--set-version", release, "--show-depends", module], text=True
        )
        files |= {Path(line.split()[1]): None for line in shown.splitlines() if line.startswith("insmod")}
    return list(files)


def _shell() -> int:
    """A shell in the guest, on this terminal."""
    if reason := unavailable():
        sys.exit(f"There is no virtual machine: {reason}")
    columns, lines = shutil.get_terminal_size()
    shell = ("setsid", "--ctty", "--wait", "sh", "-c", f"stty columns {columns} rows {lines}; exec bash")
    print("Control-D ends the guest; Control-A X kills it.", flush=True)
    with tempfile.TemporaryDirectory(prefix="tasuki-guest-") as name:
        directory = Path(name)
        _make_initramfs(directory, _script(shell, "</dev/ttyS0 >/dev/ttyS0 2>&1"))
        return subprocess.run([*_emulator(directory), "-serial", "mon:stdio"], check=False).returncode


if __name__ == "__main__":
    sys.exit(_shell())
