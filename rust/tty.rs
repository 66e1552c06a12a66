// SPDX-License-Identifier: MIT
//! Serial lines under the terminal layer.

use crate::alloc::KBox;
use crate::bindings;
use crate::error::{to_result, Error, Result};
use core::ffi::{c_int, CStr};
use core::ptr::NonNull;

/// What a line is set to.
#[derive(Clone, Copy)]
pub struct Settings {
    /// `c_cflag` of termios(3).
    pub cflag: u32,
    /// Bits a second.
    pub baud: u32,
}

/// How a received byte arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    /// Whole.
    Normal = 0,
    /// The line was held low.
    Break = 1,
    /// Wrong parity.
    Parity = 2,
    /// No stop bit.
    Frame = 3,
    /// One before it was lost.
    Overrun = 4,
}

/// A serial line's driver. No function sleeps but `open`, `close` and `configure`.
///
/// ```
/// use core::sync::atomic::{AtomicUsize, Ordering};
/// use kernel::sync::SpinLockIrq;
/// use kernel::tty::{self, Flag, Line, Settings, Tty};
/// use kernel::Result;
///
/// /// A line that hears itself.
/// struct Echo { tty: SpinLockIrq<Option<Tty>>, heard: AtomicUsize }
/// impl Line for Echo {
///     fn open(&self) -> Result { Ok(()) }
///     fn close(&self) {}
///     fn write(&self, bytes: &[u8]) -> usize {
///         let tty = *self.tty.lock();
///         let n = tty.map_or(0, |t| t.receive(bytes, &[Flag::Normal; 16]));
///         self.heard.fetch_add(n, Ordering::Relaxed);
///         n
///     }
///     fn write_room(&self) -> usize { 16 }
///     fn pending(&self) -> usize { 0 }
///     fn flush(&self) {}
///     fn configure(&self, _s: Settings) {}
///     fn set_break(&self, _on: bool) {}
///     fn modem(&self) -> u32 { 0 }
///     fn set_modem(&self, _set: u32, _clear: u32) {}
/// }
/// static ECHO: Echo = Echo { tty: SpinLockIrq::new(None), heard: AtomicUsize::new(0) };
/// let t = tty::register(c"ttyEX0", 204, 200, &ECHO, false, |t| *ECHO.tty.lock() = Some(t))?;
/// assert_eq!(ECHO.write(b"a line"), 0); // nobody has it open
/// t.wakeup();
/// assert_eq!(ECHO.heard.load(Ordering::Relaxed), 0);
/// assert!(tty::register(c"ttyEX1", 204, 200, &ECHO, false, |_| ()).is_err()); // the number is taken
/// ```
pub trait Line: Sync + 'static {
    /// The first open: from here on bytes are received.
    fn open(&self) -> Result;
    /// The last close.
    fn close(&self);
    /// Takes some of `bytes`; how many.
    fn write(&self, bytes: &[u8]) -> usize;
    /// How many `write` would take.
    fn write_room(&self) -> usize;
    /// How many are taken and not sent.
    fn pending(&self) -> usize;
    /// Forgets those.
    fn flush(&self);
    /// Applies settings.
    fn configure(&self, s: Settings);
    /// Sends a break, or ends it.
    fn set_break(&self, on: bool);
    /// Modem lines, TIOCM_*.
    fn modem(&self) -> u32;
    /// Raises and lowers modem lines.
    fn set_modem(&self, set: u32, clear: u32);
}

/// A terminal that exists.
///
/// # Invariants
/// Points to a `struct tty` that we hold a reference of, for ever.
#[derive(Clone, Copy)]
pub struct Tty(NonNull<bindings::tty>);

// SAFETY: the functions used on it may be called from anywhere.
unsafe impl Send for Tty {}
// SAFETY: as above.
unsafe impl Sync for Tty {}

/// The driver of `t`.
///
/// # Safety
/// `t` was made by `register::<L>`.
unsafe fn line<'a, L: Line>(t: *mut bindings::tty) -> &'a L {
    // SAFETY: driver_data is the `&'static L` that register stored.
    unsafe { &*bindings::rust_tty_data(t).cast::<L>() }
}

unsafe extern "C" fn open<L: Line>(t: *mut bindings::tty) -> c_int {
    // SAFETY: only registered for L's terminals.
    crate::error::to_ret(unsafe { line::<L>(t) }.open())
}
unsafe extern "C" fn close<L: Line>(t: *mut bindings::tty) {
    // SAFETY: as in open.
    unsafe { line::<L>(t) }.close()
}
unsafe extern "C" fn write<L: Line>(t: *mut bindings::tty, buf: *const u8, n: usize) -> usize {
    // SAFETY: as in open; the caller gives n valid bytes.
    unsafe { line::<L>(t).write(core::slice::from_raw_parts(buf, n)) }.min(n) // C goes on behind what was taken
}
unsafe extern "C" fn write_room<L: Line>(t: *mut bindings::tty) -> usize {
    // SAFETY: as in open.
    unsafe { line::<L>(t) }.write_room()
}
unsafe extern "C" fn chars_in_buffer<L: Line>(t: *mut bindings::tty) -> usize {
    // SAFETY: as in open.
    unsafe { line::<L>(t) }.pending()
}
unsafe extern "C" fn flush_buffer<L: Line>(t: *mut bindings::tty) {
    // SAFETY: as in open.
    unsafe { line::<L>(t) }.flush()
}
unsafe extern "C" fn set_termios<L: Line>(t: *mut bindings::tty, _old: *const bindings::ktermios) {
    // SAFETY: as in open; the caller holds the lock of termios.
    unsafe { line::<L>(t).configure(Settings { cflag: bindings::rust_tty_cflag(t), baud: bindings::rust_tty_speed(t) }) }
}
unsafe extern "C" fn break_ctl<L: Line>(t: *mut bindings::tty, on: bool) -> c_int {
    // SAFETY: as in open.
    unsafe { line::<L>(t) }.set_break(on);
    0
}
unsafe extern "C" fn tiocmget<L: Line>(t: *mut bindings::tty) -> c_int {
    // SAFETY: as in open.
    unsafe { line::<L>(t) }.modem() as c_int
}
unsafe extern "C" fn tiocmset<L: Line>(t: *mut bindings::tty, set: u32, clear: u32) -> c_int {
    // SAFETY: as in open.
    unsafe { line::<L>(t) }.set_modem(set, clear);
    0
}

/// Makes `/dev/NAME` for `driver`; `bind` tells the driver its terminal before anybody can open it. It is `/dev/console` too if the last
/// `console=` names it, or if it is a `fallback` and nothing is so far.
pub fn register<L: Line>(
    name: &'static CStr,
    major: u32,
    minor: u32,
    driver: &'static L,
    fallback: bool,
    bind: impl FnOnce(Tty),
) -> Result<Tty> {
    // SAFETY: all members are pointers to functions or null: zero is a valid value.
    let mut ops: bindings::tty_ops = unsafe { core::mem::zeroed() };
    ops.open = Some(open::<L>);
    ops.close = Some(close::<L>);
    ops.write = Some(write::<L>);
    ops.write_room = Some(write_room::<L>);
    ops.chars_in_buffer = Some(chars_in_buffer::<L>);
    ops.flush_buffer = Some(flush_buffer::<L>);
    ops.set_termios = Some(set_termios::<L>);
    ops.break_ctl = Some(break_ctl::<L>);
    ops.tiocmget = Some(tiocmget::<L>);
    ops.tiocmset = Some(tiocmset::<L>);
    let ops = KBox::new(ops, crate::alloc::KERNEL)?.leak();
    let data = core::ptr::from_ref(driver).cast_mut().cast();
    // SAFETY: ops, name and data live for ever.
    let raw = unsafe { bindings::tty_alloc(ops, name.as_ptr(), major << 20 | minor, data) };
    let tty = Tty(NonNull::new(raw).ok_or(Error::ENOMEM)?);
    bind(tty);
    // SAFETY: tty is what tty_alloc gave.
    to_result(unsafe { bindings::tty_register(tty.0.as_ptr()) })?;
    // SAFETY: as above.
    unsafe { bindings::tty_offer_console(tty.0.as_ptr(), fallback) };
    Ok(tty)
}

#[repr(C)]
struct Messages<L: 'static> {
    raw: bindings::console, // first: C's pointer is this one's
    line: &'static L,
}

unsafe extern "C" fn messages<L: Line>(c: *mut bindings::console, text: *const core::ffi::c_char, len: usize) {
    // SAFETY: print_messages() registered it, for ever; the text is the caller's, of that length.
    let (line, text) = unsafe { ((*c.cast::<Messages<L>>()).line, core::slice::from_raw_parts(text.cast::<u8>(), len)) };
    for part in text.split_inclusive(|b| *b == b'\n') {
        let (body, end) = part.strip_suffix(b"\n").map_or((part, &b""[..]), |b| (b, b"\r\n"));
        send(line, body);
        send(line, end);
    }
}

/// Sends all of it; a line that takes nothing for a second loses the rest.
fn send<L: Line>(line: &L, mut bytes: &[u8]) {
    let mut patience = 1000;
    while !bytes.is_empty() && patience > 0 {
        let n = line.write(bytes);
        bytes = bytes.get(n..).unwrap_or(&[]);
        if n == 0 {
            patience -= 1;
            crate::time::sleep_ms(1);
        }
    }
}

/// If the last `console=` names the terminal, the kernel's messages go there too, from the first on; a thread writes them. For lines that
/// the early console of the CPU does not know.
pub fn print_messages<L: Line>(tty: Tty, name: &'static CStr, line: &'static L) -> Result {
    // SAFETY: by Tty's invariant.
    if !unsafe { bindings::tty_is_named_console(tty.0.as_ptr()) } {
        return Ok(());
    }
    // SAFETY: zero is a valid value of all members.
    let mut raw: bindings::console = unsafe { core::mem::zeroed() };
    raw.name = name.as_ptr();
    raw.write = Some(messages::<L>);
    raw.enabled = true;
    let c = KBox::into_raw(KBox::new(Messages { raw, line }, crate::alloc::KERNEL)?);
    // SAFETY: it lives for ever.
    unsafe { bindings::register_console(c.cast()) };
    Ok(())
}

impl Tty {
    /// Bytes arrived. How many were taken.
    pub fn receive(&self, bytes: &[u8], flags: &[Flag]) -> usize {
        let n = bytes.len().min(flags.len());
        // SAFETY: n bytes and flags are valid; Flag is a u8.
        unsafe { bindings::tty_insert(self.0.as_ptr(), bytes.as_ptr(), flags.as_ptr().cast(), n) }
    }

    /// There is room to write again.
    pub fn wakeup(&self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::tty_wakeup(self.0.as_ptr()) }
    }
}

/// Whatever a line says that it took: C is told of no more than there was.
struct Boasts;

impl Line for Boasts {
    fn open(&self) -> Result {
        Ok(())
    }
    fn close(&self) {}
    fn write(&self, _bytes: &[u8]) -> usize {
        usize::MAX
    }
    fn write_room(&self) -> usize {
        16
    }
    fn pending(&self) -> usize {
        0
    }
    fn flush(&self) {}
    fn configure(&self, _s: Settings) {}
    fn set_break(&self, _on: bool) {}
    fn modem(&self) -> u32 {
        0
    }
    fn set_modem(&self, _set: u32, _clear: u32) {}
}

fn takes_what_there_is(_run: &mut crate::ktest::Run<'_>) -> Result {
    static BOASTS: Boasts = Boasts;
    let t = register(c"ttyEX2", 204, 202, &BOASTS, false, |_| ())?;
    let text = *b"abc";
    // SAFETY: the terminal was registered for that type; the bytes are as many.
    let n = unsafe { write::<Boasts>(t.0.as_ptr(), text.as_ptr(), text.len()) };
    crate::kt_eq!(n, 3);
    Ok(())
}

crate::ktest!(rust_tty_takes_what_there_is, takes_what_there_is);
