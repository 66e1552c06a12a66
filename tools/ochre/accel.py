# SPDX-License-Identifier: MIT
"""Whether KVM runs guests here. A device node that exists proves nothing: in containers and nested machines it often does not work. So a guest of
three instructions is run, on the machine and the CPU model that ours will have: some hosts' KVM lacks registers of that one, which QEMU does not
survive. It says by its exit status that they ran. That proves little more: KVM that emulates what its processor cannot do stands still at an
instruction that it does not know. So the kernel itself is booted, without a root; it panics for that within seconds, where KVM runs it. What came
of it is noted for the host's boot and the kernel."""
import functools
import json
import os
import platform
import subprocess
import tempfile

from .util import Fail, Progress, digest

CHOICES = ("auto", "kvm", "tcg")
VARIABLE = "OCHRE_ACCEL"                # in the environment: what auto is; tests emulate, so that every host gives the same
DEVICE = "/dev/kvm"
PORT, VALUE = 0xf4, 0x10
RAN = VALUE << 1 | 1                    # isa-debug-exit
# At the reset vector, the last 16 bytes below 4 GiB: mov al, VALUE; out PORT, al; hlt; jmp back to the hlt.
GUEST = bytes([0xb0, VALUE, 0xe6, PORT, 0xf4, 0xeb, 0xfd])
ROM = bytes(65536 - 16) + GUEST.ljust(16, b"\x90")
LIMIT = 10                              # seconds
TRIAL = 10                              # an emulated kernel takes less than one
PANIC = b"Kernel panic"


@functools.lru_cache(maxsize=None)
def probe(qemu, accel="kvm"):
    """(does it work, why: a line). QEMU: its command line as a tuple."""
    if platform.machine() != "x86_64":
        return False, "the host is %s" % platform.machine()
    if accel == "kvm" and not os.path.exists(DEVICE):
        return False, "there is no %s" % DEVICE
    if accel == "kvm" and not os.access(DEVICE, os.R_OK | os.W_OK):
        return False, "%s may not be opened" % DEVICE
    with tempfile.NamedTemporaryFile(suffix=".rom") as rom:
        rom.write(ROM)
        rom.flush()
        argv = [*qemu, "-M", "q35", "-accel", accel, "-cpu", "max", "-m", "2", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-bios", rom.name,
                "-device", "isa-debug-exit,iobase=%#x,iosize=1" % PORT]
        try:
            r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return False, "a guest of three instructions did not end in %d s" % LIMIT
        except OSError as e:
            return False, "QEMU does not start: %s" % e.strerror
    if r.returncode == RAN:
        return True, "a guest ran"
    said = (r.stdout.strip().splitlines() or ["status %d" % r.returncode])[-1]
    return False, "%s does not run a guest (%s)" % (DEVICE, said.split(": ", 1)[-1])


def host_boot():
    """What changes when the host's kernel, and with it KVM, does."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as f:
            return f.read().strip()
    except OSError:
        return ""


def boots(argv, kernel, notes):
    """(does KERNEL boot, why: a line). ARGV: a machine under KVM that boots it without a root, its console on stdout. NOTES: a file of such answers."""
    s = os.stat(kernel)
    key = digest(host_boot(), *argv, s.st_size, s.st_mtime_ns)
    try:
        with open(notes) as f:
            told = json.load(f)
    except (OSError, ValueError):
        told = {}
    if key not in told:
        try:
            with Progress("Trying the kernel under KVM"):
                r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TRIAL)
            works = PANIC in r.stdout
        except subprocess.TimeoutExpired:
            works = False
        told = {key: works}     # of this boot and this kernel alone
        os.makedirs(os.path.dirname(notes), exist_ok=True)
        with open(notes + ".new", "w") as f:
            json.dump(told, f)
        os.replace(notes + ".new", notes)
    return told[key], "a guest ran" if told[key] else "%s does not run this kernel" % DEVICE


def choose(wanted, arch, qemu, counting=False):
    """('kvm' or 'tcg', why). Who counts instructions gets emulation: KVM counts none."""
    if wanted == "tcg":
        return "tcg", "--accel tcg"
    if wanted == "auto" and os.environ.get(VARIABLE, "auto") != "auto":
        if os.environ[VARIABLE] != "tcg":
            raise Fail("%s=%s: it is tcg or auto" % (VARIABLE, os.environ[VARIABLE]))
        return "tcg", VARIABLE + "=tcg"
    if counting:
        if wanted == "kvm":
            raise Fail("--accel kvm: instructions are counted by emulation alone (-icount)")
        return "tcg", "instructions are counted"
    if arch != "x86_64":
        works, why = False, "the host is no %s" % arch
    else:
        works, why = probe(tuple(qemu))
    if wanted == "kvm" and not works:
        raise Fail("--accel kvm: %s" % why)
    return ("kvm" if works else "tcg"), why
