// SPDX-License-Identifier: MIT
//! What /sys shows of the platform's devices, by Linux's names and in its forms.

use super::{Known, What};
use core::fmt::{self, Write};
use kernel::alloc::Arc;
use kernel::device::Device;
use kernel::platform::FdtDevice;
use kernel::Result;

/// The node `n` above `d`.
fn above(d: &FdtDevice, n: usize) -> Option<FdtDevice> {
    let mut at = Some(*d);
    for _ in 0..n {
        at = at.and_then(|d| d.parent());
    }
    at
}

/// A node's name without its unit address.
fn bare(d: &FdtDevice) -> &'static str {
    let name = d.name();
    name.split_once('@').map_or(name, |(bare, _)| bare)
}

/// Address and name of a node with registers. One without has its own name, behind that of the node above, if that is not the root.
fn name_of_node(d: &FdtDevice, out: &mut dyn Write) -> fmt::Result {
    let mut up = 0;
    let mut top = *d;
    while let (None, Some(next)) = (top.range(0), top.parent()) {
        (top, up) = (next, up + 1);
    }
    match top.range(0) {
        Some((base, _)) => write!(out, "{base:x}.{}", bare(&top))?,
        None => out.write_str(top.name())?,
    }
    for n in (0..up).rev() {
        write!(out, ":{}", above(d, n).map_or("", |d| d.name()))?;
    }
    Ok(())
}

fn path(d: &FdtDevice, out: &mut dyn Write) -> fmt::Result {
    let depth = (0..).take_while(|n| above(d, *n).is_some()).count();
    (0..depth).rev().try_for_each(|n| write!(out, "/{}", above(d, n).map_or("", |d| d.name())))
}

/// A device's name.
pub(super) fn name(what: &What, out: &mut dyn Write) -> fmt::Result {
    match what {
        What::Named(name) => out.write_str(name),
        What::Table(d) => match d.hid() {
            Some((hid, nth)) => write!(out, "{hid}:{nth:02x}"),
            None => name_of_node(d, out),
        },
    }
}

/// The node's kind; Linux says so of one that has none.
fn kind(d: &FdtDevice) -> Option<&'static str> {
    d.texts(c"device_type").next()
}

pub(super) fn alias(k: &Known, out: &mut dyn Write) -> fmt::Result {
    match (&k.what, k.cell) {
        (_, Some(id)) => write!(out, "amba:d{id:08X}"),
        (What::Named(name), None) => write!(out, "platform:{name}"),
        (What::Table(d), None) => {
            if let Some((hid, _)) = d.hid() {
                return write!(out, "acpi:{hid}:");
            }
            write!(out, "of:N{}T{}", bare(d), kind(d).unwrap_or("(null)"))?;
            for c in d.texts(c"compatible") {
                out.write_char('C')?;
                c.chars().try_for_each(|c| out.write_char(if c == ' ' { '_' } else { c }))?;
            }
            Ok(())
        }
    }
}

/// The lines of a device's events.
pub(super) fn lines(k: &Known, out: &mut dyn Write) -> fmt::Result {
    if let What::Table(d) = &k.what
        && d.hid().is_none()
    {
        write!(out, "OF_NAME={}\nOF_FULLNAME=", bare(d))?;
        path(d, out)?;
        out.write_char('\n')?;
        if let Some(kind) = kind(d) {
            writeln!(out, "OF_TYPE={kind}")?;
        }
        let mut n = 0;
        for c in d.texts(c"compatible") {
            writeln!(out, "OF_COMPATIBLE_{n}={c}")?;
            n += 1;
        }
        writeln!(out, "OF_COMPATIBLE_N={n}")?;
    }
    if let Some(id) = k.cell {
        writeln!(out, "AMBA_ID={id:08x}")?;
    }
    out.write_str("MODALIAS=")?;
    alias(k, out)?;
    out.write_char('\n')
}

/// The files of a device that is not on its bus yet.
pub(super) fn fill(d: &Device<Known>) -> Result {
    const MEMORY: u64 = 0x200; // as in linux/ioport.h
    let (dir, d) = (d.dir(), Arc::new(d.clone())?);
    if d.facts().cell.is_some() {
        let id = |d: &Device<Known>, out: &mut dyn Write| {
            writeln!(out, "{:08x}", d.facts().cell.unwrap_or(0))
        };
        dir.attr(c"id", d.clone(), id, None)?;
        let resource = |d: &Device<Known>, out: &mut dyn Write| {
            let (base, len) = d.facts().table().ok().and_then(|t| t.range(0)).unwrap_or((0, 0));
            let last = base.saturating_add(len.saturating_sub(1));
            writeln!(out, "\t{base:016x}\t{last:016x}\t{MEMORY:016x}")
        };
        return dir.attr(c"resource", d, resource, None);
    }
    let modalias = |d: &Device<Known>, out: &mut dyn Write| {
        alias(d.facts(), out)?;
        out.write_char('\n')
    };
    dir.attr(c"modalias", d, modalias, None)
}
