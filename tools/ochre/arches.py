# SPDX-License-Identifier: MIT
"""The CPUs: what of the command depends on which one is meant, a row each. Everything else asks here."""
import collections

Arch = collections.namedtuple("Arch", "machines console control qemu packages image blk debian suite linux elf gcc cpu cpus efi",
                              defaults=(None, "max", 512, None))
Arch.__doc__ = """machines: QEMU's, the first is the default. console: the kernel's name of the first serial line. control: the second line, by which
our init is told what to run. qemu, packages: QEMU's program, and the packages that bring it and its firmware. image: what QEMU boots. blk: a disk's
device. debian, suite: Debian's name of the CPU and the suite that has programs for it. linux: its multiarch name. elf: e_machine. gcc: the C library's
packages of Debian's cross compiler, where the C compiler is that one; such a CPU has no Debian (debian: None), and so no busybox and no guest tests
yet: its root is our own program, user/first.c. cpu, cpus: QEMU's model, and how many its machine takes. efi: the image that UEFI starts."""

ALL = {
    "x86_64": Arch(("q35", "pc", "microvm"), "ttyS0", "/dev/ttyS1", "qemu-system-x86_64", ("qemu-system-x86", "qemu-system-data", "qemu-system-common", "seabios"),
                   "vmlinux", "virtio-blk-pci", "amd64", "trixie", "x86_64-linux-gnu", 62, cpus=288, efi="bzImage"),
    "aarch64": Arch(("virt",), "ttyAMA0", "/dev/ttyAMA1", "qemu-system-aarch64", ("qemu-system-arm", "qemu-system-data", "qemu-system-common"),
                    "Image", "virtio-blk-device", "arm64", "trixie", "aarch64-linux-gnu", 183, efi="Image"),
    "riscv64": Arch(("virt",), "ttyS0", "/dev/hvc0", "qemu-system-riscv64", ("qemu-system-riscv", "qemu-system-data", "qemu-system-common", "opensbi"),
                    "Image", "virtio-blk-device", "riscv64", "trixie", "riscv64-linux-gnu", 243),
    "loongarch64": Arch(("virt",), "ttyS0", "/dev/ttyS1", "qemu-system-loongarch64", ("qemu-system-misc", "qemu-system-data", "qemu-system-common"),
                        "vmlinux", "virtio-blk-pci", "loong64", "forky", "loongarch64-linux-gnu", 258, cpus=256),
    "alpha": Arch(("clipper",), "ttyS0", "/dev/ttyS1", "qemu-system-alpha", ("qemu-system-misc", "qemu-system-data", "qemu-system-common"),
                  "vmlinux", "virtio-blk-pci", None, "trixie", "alpha-linux-gnu", 0x9026, ("libc6.1-dev-alpha-cross", "libc6.1-alpha-cross", "linux-libc-dev-alpha-cross", "libgcc-s1-alpha-cross"), "ev67", 4),
    "sparc64": Arch(("sun4u",), "ttyS0", "/dev/ttyS1", "qemu-system-sparc64", ("qemu-system-sparc", "qemu-system-data", "qemu-system-common"),
                    "vmlinux", "virtio-blk-pci", None, "trixie", "sparc64-linux-gnu", 43, ("libc6-dev-sparc64-cross", "libc6-sparc64-cross", "linux-libc-dev-sparc64-cross", "libgcc-s1-sparc64-cross"),
                    "TI-UltraSparc-IIi", 1),
}
