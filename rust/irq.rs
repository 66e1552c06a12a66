// SPDX-License-Identifier: MIT
//! Interrupts.

use crate::alloc::{Arc, KBox, KERNEL};
use crate::bindings;
use crate::error::{to_result, Result};
use core::ffi::{c_int, c_void, CStr};

/// Something that answers an interrupt. Runs with interrupts off.
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use kernel::irq::{self, Handler};
/// struct Counter(AtomicU32);
/// impl Handler for Counter {
///     fn handle(&self) -> bool {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         true
///     }
/// }
/// static COUNTER: Counter = Counter(AtomicU32::new(0));
/// if let Ok(msi) = irq::alloc_msi(None, 1) { // some machines have none
///     let number = msi.number();
///     let registered = irq::request(msi, &COUNTER, c"example", false)?;
///     irq::simulate(number);
///     assert_eq!(COUNTER.0.load(Ordering::Relaxed), 1);
///     drop(registered); // and the message goes back
///     irq::simulate(number);
///     assert_eq!(COUNTER.0.load(Ordering::Relaxed), 1);
///     let again = irq::alloc_msi(None, 1)?;
///     irq::request(again, &COUNTER, c"example", false)?;
/// }
/// ```
pub trait Handler: Sync {
    /// True when the interrupt was for us.
    fn handle(&self) -> bool;
}

unsafe extern "C" fn trampoline<T: Handler>(_irq: c_int, dev: *mut c_void) -> bindings::irqreturn_t {
    // SAFETY: register() was given a T that lives until the handler is taken back.
    let handler = unsafe { &*dev.cast::<T>() };
    if handler.handle() { bindings::irqreturn_IRQ_HANDLED } else { bindings::irqreturn_IRQ_NONE }
}

/// An interrupt line that the machine's tables, or a bridge's wiring, give to a device. There is no other way to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line(i32);

impl Line {
    /// What the tables gave: the kernel's number, or a negative error.
    pub(crate) fn of(irq: i32) -> Result<Line> {
        to_result(irq.min(0)).map(|()| Line(irq))
    }

    /// The kernel's number, to print.
    pub fn number(&self) -> i32 {
        self.0
    }
}

/// Where interrupts come from.
pub enum Source {
    /// A line.
    Line(Line),
    /// A message, which goes back when nobody takes it any more.
    Message(Msi),
}

impl Source {
    fn number(&self) -> i32 {
        match self {
            Source::Line(l) => l.0,
            Source::Message(m) => m.irq,
        }
    }
}

impl From<Line> for Source {
    fn from(l: Line) -> Self {
        Source::Line(l)
    }
}

impl From<Msi> for Source {
    fn from(m: Msi) -> Self {
        Source::Message(m)
    }
}

/// That a handler is called. Dropping it waits for the handler, and gives the interrupt back. Sleeps.
pub struct Registration {
    source: Source,
    dev: *mut c_void,
    // The handler's function, whose module is held.
    code: *const c_void,
    // What owns the handler, where it does not live for ever. Goes after the handler was taken back.
    _owner: Option<KBox<dyn Owner>>,
}

trait Owner: Send + Sync {}
impl<T: Send + Sync> Owner for Arc<T> {}

// SAFETY: the C side locks; the pointer is a name here.
unsafe impl Send for Registration {}
// SAFETY: as above.
unsafe impl Sync for Registration {}

impl Registration {
    /// Of a driver that stays.
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: register() registered that pair, once. A message goes afterwards, with `source`.
        unsafe {
            bindings::free_irq(self.source.number(), self.dev);
            bindings::rust_owner_hold(self.code, false);
        }
    }
}

/// Has `handler` called for what comes from `source` from now on, shared with others if `shared`. Sleeps.
pub fn request<T: Handler>(source: impl Into<Source>, handler: &'static T, name: &'static CStr, shared: bool) -> Result<Registration> {
    register(source.into(), handler, name, shared, None)
}

/// The same for a handler that goes when nobody needs it any more; the registration is one who does.
pub fn request_owned<T: Handler + Send + 'static>(source: impl Into<Source>, handler: &Arc<T>, name: &'static CStr, shared: bool) -> Result<Registration> {
    let owner = KBox::new(handler.clone(), KERNEL)?;
    register(source.into(), &**handler, name, shared, Some(owner))
}

/// The handler lives for ever, or as long as `owner`.
fn register<T: Handler>(source: Source, handler: &T, name: &'static CStr, shared: bool, owner: Option<KBox<dyn Owner>>) -> Result<Registration> {
    let flags = if shared { bindings::IRQF_SHARED as u64 } else { 0 };
    let dev = core::ptr::from_ref(handler).cast_mut().cast();
    let code = trampoline::<T> as *const c_void;
    // SAFETY: a count at an address of ours; given back below, or when the registration goes.
    unsafe { bindings::rust_owner_hold(code, true) };
    // SAFETY: handler and name live for ever, or the handler until the registration is gone; the trampoline knows the type.
    let requested = to_result(unsafe { bindings::request_irq(source.number(), Some(trampoline::<T>), flags, name.as_ptr(), dev) });
    if let Err(e) = requested {
        // SAFETY: as above.
        unsafe { bindings::rust_owner_hold(code, false) };
        return Err(e);
    }
    Ok(Registration { source, dev, code, _owner: owner })
}

/// A message-signalled interrupt of ours: the address and value that the device writes.
pub struct Msi {
    irq: i32,
    /// Where the device writes.
    pub addr: u64,
    /// What it writes.
    pub data: u32,
}

impl Msi {
    /// The kernel's number, to print and to simulate.
    pub fn number(&self) -> i32 {
        self.irq
    }
}

impl Drop for Msi {
    fn drop(&mut self) {
        // SAFETY: alloc_msi() was given it, and nobody handles it any more.
        unsafe { bindings::arch_irq_free(self.irq as u32, 1) }
    }
}

/// A fresh one for `device`, as its message controller calls it, which will have at most `max`. Nobody's: for tests.
pub fn alloc_msi(device: Option<u32>, max: u16) -> Result<Msi> {
    alloc_msi_at(device, max, None)
}

/// The same, which comes to the `nth` CPU that is online (counted round), where the controller can do that.
pub fn alloc_msi_at(device: Option<u32>, max: u16, nth: Option<u16>) -> Result<Msi> {
    // SAFETY: a plain request for one interrupt; the result is checked.
    let irq = unsafe { bindings::arch_irq_alloc_msi(device.unwrap_or(bindings::MSI_NO_DEVICE), max.into(), 1) };
    to_result(irq.min(0))?;
    if let Some(n) = nth {
        // SAFETY: irq is what was just allocated; where it cannot move it stays.
        unsafe { bindings::rust_irq_place(irq, n) };
    }
    let mut m = bindings::arch_msi { addr: 0, data: 0 };
    // SAFETY: irq is what was just allocated, m is valid.
    unsafe { bindings::arch_irq_compose_msi(irq as u32, &mut m) };
    Ok(Msi { irq, addr: m.addr, data: m.data })
}

/// How many CPUs are online.
///
/// ```
/// let n = kernel::irq::cpus();
/// assert!(n > 0);
/// if let Ok(m) = kernel::irq::alloc_msi_at(None, 1, Some(n + 1)) {
///     assert!(m.number() > 0);
/// }
/// ```
pub fn cpus() -> u16 {
    // SAFETY: a look.
    unsafe { bindings::rust_cpus() }
}

/// Calls the handlers of an interrupt as if it had come: for tests of drivers.
pub fn simulate(irq: i32) {
    // SAFETY: handlers must bear interrupts that nobody sent.
    unsafe { bindings::rust_irq_simulate(irq) }
}
