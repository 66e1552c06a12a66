// SPDX-License-Identifier: MIT
//! Interrupts.

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
///     irq::request(msi.irq, &COUNTER, c"example", false)?;
///     irq::simulate(msi.irq);
///     assert_eq!(COUNTER.0.load(Ordering::Relaxed), 1);
///     assert_eq!(irq::request(msi.irq, &COUNTER, c"example", false), Err(kernel::Error::EBUSY));
/// }
/// ```
pub trait Handler: Sync {
    /// True when the interrupt was for us.
    fn handle(&self) -> bool;
}

unsafe extern "C" fn trampoline<T: Handler>(_irq: c_int, dev: *mut c_void) -> bindings::irqreturn_t {
    // SAFETY: request() registered a `&'static T`.
    let handler = unsafe { &*dev.cast::<T>() };
    if handler.handle() { bindings::irqreturn_IRQ_HANDLED } else { bindings::irqreturn_IRQ_NONE }
}

/// Has `handler` called for `irq` from now on, shared with others if `shared`.
pub fn request<T: Handler>(irq: i32, handler: &'static T, name: &'static CStr, shared: bool) -> Result {
    let flags = if shared { bindings::IRQF_SHARED as u64 } else { 0 };
    let dev = core::ptr::from_ref(handler).cast_mut().cast();
    // SAFETY: handler and name live for ever; the trampoline knows the type.
    to_result(unsafe { bindings::request_irq(irq, Some(trampoline::<T>), flags, name.as_ptr(), dev) })
}

/// A message-signalled interrupt: the address and value that the device writes, and the kernel's number.
pub struct Msi {
    /// For `request`.
    pub irq: i32,
    /// Where the device writes.
    pub addr: u64,
    /// What it writes.
    pub data: u32,
}

/// A fresh one for `device`, as its message controller calls it, which will have at most `max`. Nobody's: for tests.
pub fn alloc_msi(device: Option<u32>, max: u16) -> Result<Msi> {
    // SAFETY: a plain request for one interrupt; the result is checked.
    let irq = unsafe { bindings::arch_irq_alloc_msi(device.unwrap_or(bindings::MSI_NO_DEVICE), max.into(), 1) };
    to_result(irq.min(0))?;
    let mut m = bindings::arch_msi { addr: 0, data: 0 };
    // SAFETY: irq is what was just allocated, m is valid.
    unsafe { bindings::arch_irq_compose_msi(irq as u32, &mut m) };
    Ok(Msi { irq, addr: m.addr, data: m.data })
}

/// Calls the handlers of an interrupt as if it had come: for tests of drivers.
pub fn simulate(irq: i32) {
    // SAFETY: handlers must bear interrupts that nobody sent.
    unsafe { bindings::rust_irq_simulate(irq) }
}
