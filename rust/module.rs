// SPDX-License-Identifier: MIT
//! Loadable modules: `module!` describes one and says which value it is. The value is made when the module is loaded and dropped when it is unloaded. A
//! crate that is part of the image (config/modules.mk says so) makes it at the device level, and keeps it; parameters are then what they are in the source.

use crate::error::Result;
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int, c_void, CStr};
use core::mem::MaybeUninit;

/// What a module is while it is loaded; `drop` is its exit.
///
/// What it has registered is to be dropped with it. What it forgets (`mem::forget`) keeps its memory for ever: unloading does not end then.
pub trait Module: Send + Sized + 'static {
    /// Called once, by the program that loads the module; an error refuses it. Sleeps.
    fn init() -> Result<Self>;
}

/// A value that the one who loads the module may set.
///
/// # Invariants
/// The loader writes a valid value of the type before `Module::init`, if at all, and nobody writes later.
pub struct Param<T: Value>(UnsafeCell<T::Kept>);

// SAFETY: by the type's invariant it does not change while code of the module runs.
unsafe impl<T: Value> Sync for Param<T> {}

mod sealed {
    pub trait Sealed {}
}

/// Types of parameters: `i32`, `u32`, `bool` and `&CStr`.
pub trait Value: sealed::Sealed + Copy + Sized {
    #[doc(hidden)]
    type Kept: Copy;
    /// As C's `enum module_param_type`.
    #[doc(hidden)]
    const KIND: u32;
    /// As in .modinfo.
    #[doc(hidden)]
    const NAME: &'static str;
    #[doc(hidden)]
    fn get(kept: Self::Kept) -> Self;
}

macro_rules! plain {
    ($t:ty, $kind:literal, $name:literal) => {
        impl sealed::Sealed for $t {}
        impl Value for $t {
            type Kept = $t;
            const KIND: u32 = $kind;
            const NAME: &'static str = $name;
            fn get(kept: $t) -> $t {
                kept
            }
        }
    };
}
plain!(i32, 0, "int");
plain!(u32, 1, "uint");
plain!(bool, 2, "bool");

/// A text, which ends by NUL.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Text(*const c_char);

impl sealed::Sealed for &'static CStr {}
impl Value for &'static CStr {
    type Kept = Text;
    const KIND: u32 = 3;
    const NAME: &'static str = "charp";
    fn get(kept: Text) -> Self {
        // SAFETY: it was made of a `&'static CStr`, or the loader put a text there that lives as long as the module.
        unsafe { CStr::from_ptr(kept.0) }
    }
}

impl<T: Value<Kept = T>> Param<T> {
    /// With what it is where the loader says nothing.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }
}

impl Param<&'static CStr> {
    /// With what it is where the loader says nothing.
    pub const fn text(value: &'static CStr) -> Self {
        Self(UnsafeCell::new(Text(value.as_ptr())))
    }
}

impl<T: Value> Param<T> {
    /// What was set.
    pub fn get(&self) -> T {
        // SAFETY: by the type's invariant.
        T::get(unsafe { *self.0.get() })
    }

    /// Where the loader writes it.
    #[doc(hidden)]
    pub const fn place(&'static self) -> *mut c_void {
        self.0.get().cast()
    }
}

/// A parameter, as C's `struct module_param`.
#[doc(hidden)]
#[repr(C)]
pub struct Entry {
    name: *const c_char,
    value: *mut c_void,
    kind: u32,
    perm: u32,
}

// SAFETY: it is never changed.
unsafe impl Sync for Entry {}

impl Entry {
    #[doc(hidden)]
    pub const fn new<T: Value>(name: &'static CStr, param: &'static Param<T>, perm: u32) -> Self {
        Self { name: name.as_ptr(), value: param.place(), kind: T::KIND, perm }
    }
}

/// The module's value, from init to exit.
///
/// # Invariants
/// The loader calls `init` once, then nothing else before `exit`, once, if `init` answered 0.
#[doc(hidden)]
pub struct Slot<M>(UnsafeCell<MaybeUninit<M>>);

// SAFETY: nobody but init and exit touches the value, one after the other; it may be dropped by another task.
unsafe impl<M: Send> Sync for Slot<M> {}

impl<M: Module> Slot<M> {
    #[doc(hidden)]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// # Safety
    /// To be called by the loader alone: see the type's invariant.
    #[doc(hidden)]
    pub unsafe fn init(&self) -> c_int {
        match M::init() {
            Ok(m) => {
                // SAFETY: by the type's invariant nobody else uses the place.
                unsafe { (*self.0.get()).write(m) };
                0
            }
            Err(e) => e.code(),
        }
    }

    /// # Safety
    /// As of `init`.
    #[doc(hidden)]
    pub unsafe fn exit(&self) {
        // SAFETY: by the type's invariant there is a value, which nobody uses any more.
        unsafe { (*self.0.get()).assume_init_drop() };
    }
}

/// A text of .modinfo, with its NUL.
#[doc(hidden)]
pub const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    match text.as_bytes().first_chunk::<N>() {
        Some(b) => *b,
        None => [0; N],
    }
}

/// Says that a crate is a module, or what it is in the image. Parameters can be read by the words of `perm` in /sys/module/NAME/parameters; 0 hides them.
///
/// ```ignore
/// module! {
///     type: Hello,
///     license: "MIT",
///     author: "Ochre",
///     description: "says hello",
///     aliases: ["greeter"],
///     params: { TIMES: times: i32 = Param::new(1), 0o444, "how often"; }
/// }
/// ```
#[macro_export]
#[allow_internal_unsafe]
macro_rules! module {
    (type: $t:ty, license: $license:literal, author: $author:literal, description: $description:literal,
     aliases: [$($alias:literal),*],
     params: { $($static:ident: $param:ident: $pt:ident = $value:expr, $perm:literal, $desc:literal;)* }) => {
        #[cfg(module)]
        const _: () = {
            $crate::modinfo!("license=", $license);
            $crate::modinfo!("author=", $author);
            $crate::modinfo!("description=", $description);
            $($crate::modinfo!("alias=", $alias);)*
        };
        $(
            static $static: $crate::module::Param<$crate::param_type!($pt)> = $value;
            #[cfg(module)]
            const _: () = {
                $crate::modinfo!("parm=", stringify!($param), ":", $desc);
                $crate::modinfo!("parmtype=", stringify!($param), ":", $crate::param_name!($pt));
                #[used]
                #[unsafe(link_section = ".module_param")]
                static ENTRY: $crate::module::Entry = $crate::module::Entry::new(
                    match core::ffi::CStr::from_bytes_with_nul(concat!(stringify!($param), "\0").as_bytes()) {
                        Ok(name) => name,
                        Err(_) => c"",
                    },
                    &$static,
                    $perm,
                );
            };
        )*
        const _: () = {
            static VALUE: $crate::module::Slot<$t> = $crate::module::Slot::new();

            #[cfg_attr(module, unsafe(export_name = "init_module"))]
            extern "C" fn init() -> core::ffi::c_int {
                // SAFETY: the loader calls this, or the kernel as it starts, once.
                unsafe { VALUE.init() }
            }

            // A dormant crate is part of the image for its tests alone.
            #[cfg(dormant)]
            const _: extern "C" fn() -> core::ffi::c_int = init;

            #[cfg(not(any(module, dormant)))]
            #[used]
            #[unsafe(link_section = ".initcall.5")]
            static ENTRY: $crate::init::InitCall = $crate::init::InitCall { func: init, name: concat!(module_path!(), "\0").as_ptr().cast() };

            #[cfg(module)]
            #[unsafe(export_name = "cleanup_module")]
            extern "C" fn exit() {
                // SAFETY: the loader calls this, once, after an init that answered 0.
                unsafe { VALUE.exit() }
            }
        };
    };
}

/// The type of a parameter by its word.
#[macro_export]
#[doc(hidden)]
macro_rules! param_type {
    (int) => { i32 };
    (uint) => { u32 };
    (bool) => { bool };
    (charp) => { &'static core::ffi::CStr };
}

/// The word, for modinfo(8).
#[macro_export]
#[doc(hidden)]
macro_rules! param_name {
    ($pt:ident) => {
        stringify!($pt)
    };
}

/// A text of .modinfo.
#[macro_export]
#[doc(hidden)]
#[allow_internal_unsafe]
macro_rules! modinfo {
    ($($part:expr),*) => {
        const _: () = {
            const TEXT: &str = concat!($($part,)* "\0");
            #[used]
            #[unsafe(link_section = ".modinfo")]
            static INFO: [u8; TEXT.len()] = $crate::module::bytes(TEXT);
        };
    };
}

const _: () = assert!(size_of::<Entry>() == 24, "as C's struct module_param");
