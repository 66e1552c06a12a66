// SPDX-License-Identifier: MIT
//! What the machine's tables name.

use crate::bindings;
use crate::dma::Engine;
use crate::irq::Line;
use crate::mem::Mmio;
use crate::{Error, Result};
use core::ffi::CStr;

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
        let node = self.node.ok_or(Error::ENXIO)?;
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

/// A device that the machine's tables name: a node of the device tree, or, where there is none, a device of ACPI.
///
/// # Invariants
/// The node, if it is one, is of the tree.
#[derive(Clone, Copy, Debug)]
pub struct FdtDevice {
    fw: bindings::rust_fw,
}

/// The text of C's that ends with NUL and lives for ever.
fn text(s: *const core::ffi::c_char) -> Option<&'static str> {
    // SAFETY: the callers' pointers are null, or to constant texts.
    (!s.is_null()).then(|| unsafe { CStr::from_ptr(s) }).and_then(|s| s.to_str().ok())
}

impl FdtDevice {
    /// Its first interrupt, or why it has none.
    pub fn line(&self) -> Result<Line> {
        self.line_at(0)
    }

    /// Its `i`-th interrupt, or why it has none.
    pub fn line_at(&self, i: u32) -> Result<Line> {
        // SAFETY: by the type's invariant; the result is checked.
        Line::of(unsafe { bindings::rust_fw_irq(&self.fw, i) })
    }

    /// Address and length of its `i`-th range of registers, to print.
    pub fn range(&self, i: u32) -> Option<(u64, u64)> {
        let (mut base, mut len) = (0, 0);
        // SAFETY: by the type's invariant; the places are valid for writing.
        unsafe { bindings::rust_fw_range(&self.fw, i, &mut base, &mut len) }.then_some((base, len))
    }

    /// Physical address of the first range of registers, to print; 0: it has none.
    pub fn base(&self) -> u64 {
        self.range(0).map_or(0, |r| r.0)
    }

    /// Maps its registers.
    pub fn map(&self) -> Result<Mmio> {
        self.map_at(0)
    }

    /// Maps its `i`-th range of registers. `ENXIO`: it has none.
    pub fn map_at(&self, i: u32) -> Result<Mmio> {
        let (base, len) = self.range(i).ok_or(Error::ENXIO)?;
        Mmio::map(base, usize::try_from(len).map_err(|_| Error::EINVAL)?)
    }

    /// A property that is a number.
    pub fn number(&self, name: &CStr) -> Option<u64> {
        let mut v = 0;
        // SAFETY: by the type's invariant; `name` ends with NUL, the place is valid for writing.
        unsafe { bindings::rust_fw_number(self.fw.node, name.as_ptr(), &mut v) }.then_some(v)
    }

    /// The bytes of a property.
    pub fn property(&self, name: &CStr) -> Option<&'static [u8]> {
        let mut len = 0;
        // SAFETY: by the type's invariant; `name` ends with NUL, the place is valid for writing.
        let p = unsafe { bindings::rust_fw_property(self.fw.node, name.as_ptr(), &mut len) };
        // SAFETY: the tree is never changed, and has that many bytes there.
        (!p.is_null()).then(|| unsafe { core::slice::from_raw_parts(p, len as usize) })
    }

    /// A property that is texts.
    pub fn texts(&self, name: &CStr) -> impl Iterator<Item = &'static str> + use<> {
        let texts = self.property(name).and_then(|p| p.strip_suffix(b"\0"));
        texts.into_iter().flat_map(|t| t.split(|b| *b == 0)).filter_map(|t| core::str::from_utf8(t).ok())
    }

    /// Whether it is, by one of its names, a device of that kind.
    pub fn is(&self, kind: &str) -> bool {
        // SAFETY: by the type's invariant.
        let like = text(unsafe { bindings::rust_fw_like(&self.fw) });
        like == Some(kind) || self.texts(c"compatible").any(|t| t == kind)
    }

    /// ACPI's name of it, and its number among those of that name; `None`: it is a node of the tree.
    pub fn hid(&self) -> Option<(&'static str, u32)> {
        // SAFETY: by the type's invariant.
        text(unsafe { bindings::rust_fw_hid(&self.fw) }).map(|hid| (hid, self.fw.nth))
    }

    /// The name of its node, with the unit address; empty, if it is none.
    pub fn name(&self) -> &'static str {
        let mut len = 0;
        // SAFETY: by the type's invariant; the place is valid for writing.
        let p = unsafe { bindings::rust_fw_name(self.fw.node, &mut len) };
        // SAFETY: the tree is never changed, and has that many bytes there.
        core::str::from_utf8(unsafe { core::slice::from_raw_parts(p, len as usize) }).unwrap_or("")
    }

    /// The node above its; `None`: that is the root, or it is no node.
    pub fn parent(&self) -> Option<FdtDevice> {
        // SAFETY: by the type's invariant.
        let node = unsafe { bindings::rust_fw_parent(self.fw.node) };
        let fw = bindings::rust_fw { node, ..self.fw };
        (node != 0 && node != bindings::RUST_NO_NODE).then_some(FdtDevice { fw })
    }
}

const NO_DEVICE: bindings::rust_fw = bindings::rust_fw { node: 0, hid: 0, nth: 0 };

/// The enabled devices with registers that are compatible with `what`, in the tree's order.
///
/// ```
/// use kernel::platform;
/// assert!(platform::fdt_devices(c"nobody,nothing").next().is_none());
/// for uart in platform::fdt_devices(c"arm,pl011") {
///     let regs = uart.map()?;
///     assert_eq!(regs.read32(0xfe0) & 0xff, 0x11); // it says who it is
///     assert!(uart.is("arm,pl011") && !uart.is("arm,pl01") && uart.line_at(7).is_err());
///     assert_eq!((uart.range(7), uart.map_at(7).err()), (None, Some(kernel::Error::ENXIO)));
/// }
/// ```
pub fn fdt_devices(what: &CStr) -> impl Iterator<Item = FdtDevice> + '_ {
    let mut next = 0;
    core::iter::from_fn(move || {
        let mut fw = NO_DEVICE;
        // SAFETY: `what` ends with NUL, all places are valid for writing.
        let ok = unsafe { bindings::rust_fw_compatible(what.as_ptr(), &mut next, &mut fw) };
        ok.then_some(FdtDevice { fw })
    })
}

/// The enabled nodes of the tree that say what they are compatible with, right below `parent` (`None`: the root), in the tree's order.
///
/// ```
/// use kernel::platform;
/// for d in platform::children(None) {
///     assert!(!d.name().is_empty() && d.parent().is_none() && d.hid().is_none());
///     assert!(d.property(c"compatible").is_some() && d.texts(c"compatible").all(|t| d.is(t)));
///     assert!(platform::children(Some(&d)).all(|c| c.parent().is_some_and(|p| p.name() == d.name())));
/// }
/// ```
pub fn children(parent: Option<&FdtDevice>) -> impl Iterator<Item = FdtDevice> + use<> {
    let (parent, mut prev) = (parent.map_or(0, |p| p.fw.node), bindings::RUST_NO_NODE);
    core::iter::from_fn(move || {
        let mut fw = NO_DEVICE;
        // SAFETY: all places are valid for writing; a node that is none has no children.
        let ok = unsafe { bindings::rust_fw_child(parent, &mut prev, &mut fw) };
        ok.then_some(FdtDevice { fw })
    })
}

/// Where there is no tree: the devices of ACPI whose names are known, by names.
///
/// ```
/// use kernel::platform;
/// for (i, d) in platform::acpi_devices().enumerate() {
///     assert!(d.hid().is_some() && d.name().is_empty() && d.parent().is_none() && i < 10_000);
///     assert!(d.number(c"reg-shift").is_none() && platform::children(Some(&d)).next().is_none());
/// }
/// ```
pub fn acpi_devices() -> impl Iterator<Item = FdtDevice> {
    let mut i = 0;
    core::iter::from_fn(move || {
        let mut fw = NO_DEVICE;
        // SAFETY: the place is valid for writing.
        let ok = unsafe { bindings::rust_fw_acpi(i, &mut fw) };
        i += 1;
        ok.then_some(FdtDevice { fw })
    })
}

/// The registers of a virtio device.
#[derive(Clone, Copy, Debug)]
pub struct VirtioMmio(FdtDevice);

impl VirtioMmio {
    /// Those of a device that is one, by its names.
    ///
    /// ```
    /// use kernel::platform::{fdt_devices, VirtioMmio};
    /// for d in fdt_devices(c"virtio,mmio") {
    ///     let v = VirtioMmio::of(&d)?;
    ///     assert_eq!(v.map()?.read32(0), 0x7472_6976); // "virt"
    ///     assert!(v.line().is_ok());
    /// }
    /// for d in fdt_devices(c"arm,pl011") {
    ///     assert!(VirtioMmio::of(&d).is_err());
    /// }
    /// ```
    pub fn of(d: &FdtDevice) -> Result<VirtioMmio> {
        if d.is("virtio,mmio") { Ok(VirtioMmio(*d)) } else { Err(Error::ENODEV) }
    }

    /// Its interrupt.
    pub fn line(&self) -> Result<Line> {
        self.0.line()
    }

    /// Maps its registers.
    pub fn map(&self) -> Result<Mmio> {
        let (base, len) = self.0.range(0).ok_or(Error::ENXIO)?;
        Mmio::map(base, usize::try_from(len.max(0x200)).map_err(|_| Error::EINVAL)?)
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
