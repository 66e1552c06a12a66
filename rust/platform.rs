// SPDX-License-Identifier: MIT
//! What the machine's tables name.

use crate::bindings;
use crate::dma::Engine;
use crate::irq::Line;
use crate::mem::Mmio;
use crate::Result;

/// A window of PCI configuration space.
#[derive(Clone, Copy, Debug)]
pub struct Ecam {
    /// Physical address of the first bus's part.
    pub base: u64,
    /// First bus.
    pub first_bus: u8,
    /// Last bus.
    pub last_bus: u8,
}

/// The `i`-th window (ACPI's MCFG).
///
/// ```
/// use kernel::platform;
/// if let Some(e) = platform::ecam(0) {
///     assert!(e.first_bus <= e.last_bus);
/// }
/// assert!(platform::ecam(1000).is_none());
/// ```
pub fn ecam(i: u32) -> Option<Ecam> {
    let mut e = Ecam { base: 0, first_bus: 0, last_bus: 0 };
    // SAFETY: all places are valid for writing.
    let ok = unsafe { bindings::rust_acpi_ecam(i, &mut e.base, &mut e.first_bus, &mut e.last_bus) };
    ok.then_some(e)
}

/// A PCI host bridge that the tables name.
#[derive(Clone, Copy, Debug)]
pub struct PciHost {
    /// Its configuration space.
    pub ecam: Ecam,
    // Of the device tree; ACPI's has none.
    node: Option<u32>,
}

/// A range of PCI addresses that the host bridge lets through, and where the CPU sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PciWindow {
    /// Memory, not ports.
    pub memory: bool,
    /// First PCI address.
    pub pci: u64,
    /// First physical address.
    pub cpu: u64,
    /// Bytes.
    pub size: u64,
}

/// ACPI's first window of segment 0, else the device tree's host bridges.
///
/// ```
/// use kernel::platform;
/// for h in platform::pci_hosts() {
///     assert!(h.ecam.first_bus <= h.ecam.last_bus);
///     assert!(h.windows().all(|w| w.pci.checked_add(w.size).is_some()));
///     assert!(h.line(0, 0, 9).is_err()); // pins are 1 to 4
/// }
/// ```
pub fn pci_hosts() -> impl Iterator<Item = PciHost> {
    let mut acpi = ecam(0).map(|ecam| PciHost { ecam, node: None });
    let mut next = 0;
    core::iter::from_fn(move || {
        if let Some(h) = acpi.take() {
            return Some(h);
        }
        let (mut node, mut e) = (0, Ecam { base: 0, first_bus: 0, last_bus: 0 });
        // SAFETY: all places are valid for writing.
        let ok = unsafe { bindings::rust_dt_pci_host(&mut next, &mut node, &mut e.base, &mut e.first_bus, &mut e.last_bus) };
        ok.then_some(PciHost { ecam: e, node: Some(node) })
    })
}

impl PciHost {
    /// Firmware left it as reset does: bus numbers and addresses are ours to give out.
    pub fn is_bare(&self) -> bool {
        self.node.is_some()
    }

    /// Its windows; none: PCI addresses are physical ones.
    pub fn windows(&self) -> impl Iterator<Item = PciWindow> + '_ {
        let mut next = 0;
        core::iter::from_fn(move || {
            let mut w = bindings::rust_pci_window { memory: false, pci: 0, cpu: 0, size: 0 };
            // SAFETY: the node is one that the tree gave, the places are valid for writing.
            let ok = unsafe { bindings::rust_dt_pci_window(self.node?, &mut next, &mut w) };
            ok.then_some(PciWindow { memory: w.memory, pci: w.pci, cpu: w.cpu, size: w.size })
        })
    }

    /// The line behind pin 1 to 4 of a function on the first bus. `ENXIO`: nobody says.
    pub fn line(&self, bus: u8, devfn: u8, pin: u8) -> Result<Line> {
        let node = self.node.ok_or(crate::Error::ENXIO)?;
        // SAFETY: the node is one that the tree gave; the result is checked.
        Line::of(unsafe { bindings::rust_dt_pci_irq(node, bus, devfn, pin) })
    }

    /// What the message controller calls the requester; `None`: nobody takes its messages.
    pub fn message_id(&self, requester: u32) -> Option<u32> {
        let Some(node) = self.node else { return Some(requester) };
        let mut id = 0;
        // SAFETY: the node is one that the tree gave, the place is valid for writing.
        unsafe { bindings::rust_dt_pci_msi(node, requester, &mut id) }.then_some(id)
    }
}

/// A device that the device tree names: its registers and its interrupt.
#[derive(Clone, Copy, Debug)]
pub struct FdtDevice {
    base: u64,
    len: u64,
    node: u32,
    irq: i32,
}

impl FdtDevice {
    /// Its first interrupt, or why it has none.
    pub fn line(&self) -> Result<Line> {
        Line::of(self.irq)
    }

    /// Physical address of the first range of registers, to print.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Maps its registers.
    pub fn map(&self) -> Result<Mmio> {
        Mmio::map(self.base, usize::try_from(self.len).map_err(|_| crate::Error::EINVAL)?)
    }

    /// A property that is a number.
    pub fn number(&self, name: &core::ffi::CStr) -> Option<u64> {
        let mut v = 0;
        // SAFETY: the node is one that the tree gave, `name` ends with NUL, the place is valid for writing.
        unsafe { bindings::rust_dt_number(self.node, name.as_ptr(), &mut v) }.then_some(v)
    }
}

/// The enabled devices that are compatible with `what`, in the tree's order.
///
/// ```
/// use kernel::platform;
/// assert!(platform::fdt_devices(c"nobody,nothing").next().is_none());
/// for uart in platform::fdt_devices(c"arm,pl011") {
///     let regs = uart.map()?;
///     assert_eq!(regs.read32(0xfe0) & 0xff, 0x11); // it says who it is
/// }
/// ```
pub fn fdt_devices(what: &core::ffi::CStr) -> impl Iterator<Item = FdtDevice> + '_ {
    let mut next = 0;
    core::iter::from_fn(move || {
        let mut d = FdtDevice { base: 0, len: 0, node: 0, irq: 0 };
        // SAFETY: `what` ends with NUL, all places are valid for writing.
        let ok = unsafe { bindings::rust_dt_device(what.as_ptr(), &mut next, &mut d.node, &mut d.base, &mut d.len, &mut d.irq) };
        ok.then_some(d)
    })
}

/// A virtio device that the tables name: registers and interrupt line.
#[derive(Clone, Copy, Debug)]
pub struct VirtioMmio {
    base: u64,
    len: u64,
    irq: i32,
}

impl VirtioMmio {
    /// Its interrupt.
    pub fn line(&self) -> Result<Line> {
        Line::of(self.irq)
    }

    /// Physical address of the registers, to print.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Maps its registers.
    pub fn map(&self) -> Result<Mmio> {
        Mmio::map(self.base, usize::try_from(self.len.max(0x200)).map_err(|_| crate::Error::EINVAL)?)
    }

    /// Its way to memory, which its reset ends (virtio 1.2, 4.2.2: the device status).
    pub fn engine(&self) -> Result<Engine> {
        Engine::of_status(ResetByStatus { regs: self.map()?, status: 0x70 })
    }
}

/// A register that resets a device when 0 is written to it, and reads as 0 when the device has done so.
pub(crate) struct ResetByStatus {
    regs: Mmio,
    status: usize,
}

impl ResetByStatus {
    /// Whether the device says that it did. Waits for a millisecond at most.
    pub(crate) fn reset(&self) -> bool {
        self.regs.write32(self.status, 0);
        (0..1000).any(|n| {
            if n > 0 {
                crate::time::delay_us(1);
            }
            self.regs.read32(self.status) == 0
        })
    }
}

/// Those devices.
///
/// ```
/// use kernel::platform;
/// for d in platform::virtio_mmio() {
///     assert_eq!(d.map()?.read32(0), 0x7472_6976); // "virt"
/// }
/// ```
pub fn virtio_mmio() -> impl Iterator<Item = VirtioMmio> {
    let mut next = 0;
    core::iter::from_fn(move || {
        let mut v = VirtioMmio { base: 0, len: 0, irq: 0 };
        // SAFETY: all places are valid for writing.
        let ok = unsafe { bindings::rust_virtio_mmio(&mut next, &mut v.base, &mut v.len, &mut v.irq) };
        ok.then_some(v)
    })
}

/// PCI configuration by the ports 0xcf8 and 0xcfc; `None` where the CPU has no ports.
pub(crate) fn pci_port_config() -> Option<PciPorts> {
    // SAFETY: a question without effects.
    unsafe { bindings::rust_has_ports() }.then_some(PciPorts(()))
}

/// The two ports. The C side serialises their use.
#[derive(Clone, Copy)]
pub struct PciPorts(());

impl PciPorts {
    /// Reads an aligned word of the first 256 bytes.
    pub fn read32(&self, bus: u8, devfn: u8, off: u8) -> u32 {
        // SAFETY: reading configuration space has no effect on memory.
        unsafe { bindings::rust_pci_port_read(bus, devfn, off) }
    }

    /// Writes one.
    pub(crate) fn write32(&self, bus: u8, devfn: u8, off: u8, v: u32) {
        // SAFETY: the PCI host driver alone writes configuration space, for devices it owns.
        unsafe { bindings::rust_pci_port_write(bus, devfn, off, v) }
    }

    /// Writes an aligned half of one.
    pub(crate) fn write16(&self, bus: u8, devfn: u8, off: u8, v: u16) {
        // SAFETY: as above.
        unsafe { bindings::rust_pci_port_write16(bus, devfn, off, v) }
    }
}

/// Adds to the kernel's entropy; `bits` of it count.
pub fn add_entropy(bytes: &[u8], bits: u32) {
    // SAFETY: the bytes are valid for their length.
    unsafe { bindings::add_entropy(bytes.as_ptr().cast(), bytes.len(), bits) }
}
