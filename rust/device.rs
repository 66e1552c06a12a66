// SPDX-License-Identifier: MIT
//! Devices, their drivers, and the buses that bring them together (dev/device.h). The type `D` is what a bus
//! knows of each of its devices: a driver is asked by it, and probes it.

use crate::alloc::{KBox, KERNEL};
use crate::bindings;
use crate::error::{Error, Result};
use crate::show::{Dir, Text};
use core::any::Any;
use core::ffi::{c_char, c_void, CStr};
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

/// What a bus knows of a device. Dropping it may not sleep.
pub trait Facts: Send + Sync + Sized + 'static {
    /// A device has the file `driver_override`.
    const OVERRIDES: bool;
    /// The driver of a device's parent makes it: it is removed before that driver leaves.
    const OF_DRIVER: bool = false;
    /// The lines of a device's events, each ended by a newline. May not sleep.
    fn lines(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// What a driver keeps for a device that it has.
pub trait Bound: Any + Send + Sync {
    /// Leaves the device, whoever uses it; `gone`: it is not there any more. Afterwards it does nothing with it, and is dropped. Sleeps.
    fn remove(&mut self, gone: bool);
}

/// A driver.
pub struct Driver<D: Facts> {
    /// Its name in /sys.
    pub name: &'static CStr,
    /// Whether it is for a device; may not sleep but for a lock of its own, and calls nothing of this file.
    pub matches: fn(&D) -> bool,
    /// Takes a device. `ENODEV`, `ENXIO`: it is not for this driver. Sleeps.
    pub probe: fn(&Device<D>) -> Result<KBox<dyn Bound>>,
    /// Programs neither bind nor unbind it.
    pub fixed: bool,
}

/// A bus. It stays for ever.
///
/// # Invariants
/// Points to what `bus_register()` gave.
#[derive(Debug)]
pub struct Bus<D: Facts> {
    bus: NonNull<bindings::bus>,
    of: PhantomData<D>,
}

// SAFETY: the C side locks, and the bus stays for ever.
unsafe impl<D: Facts> Send for Bus<D> {}
// SAFETY: as above.
unsafe impl<D: Facts> Sync for Bus<D> {}

/// A reference to a device of a bus of `D`.
///
/// # Invariants
/// Points to a device of which it has a reference, and whose data is a `KBox<D>`.
#[derive(Debug)]
pub struct Device<D: Facts> {
    dev: NonNull<bindings::device>,
    of: PhantomData<D>,
}

// SAFETY: the C side locks; `D` is Sync.
unsafe impl<D: Facts> Send for Device<D> {}
// SAFETY: as above.
unsafe impl<D: Facts> Sync for Device<D> {}

/// A driver that was registered, for ever.
///
/// # Invariants
/// Points to what `driver_register()` gave, with its reference.
#[derive(Clone, Copy, Debug)]
pub struct Registered(NonNull<bindings::driver>);

// SAFETY: the C side locks, and the driver stays for ever.
unsafe impl Send for Registered {}
// SAFETY: as above.
unsafe impl Sync for Registered {}

impl Registered {
    /// Its directory.
    pub fn dir(&self) -> Dir {
        // SAFETY: by the type's invariant.
        unsafe { Dir::pinned(bindings::driver_dir(self.0.as_ptr())) }
    }

    /// Gives it the devices that it is for and that have none, after it has come to be for more of them. Sleeps.
    pub fn attach(&self) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::driver_attach(self.0.as_ptr()) }
    }
}

/// A driver that was registered, until it is dropped: it is taken from all its devices then, waiting for probes that are under way, and off the bus.
///
/// # Invariants
/// Points to what `driver_register()` gave, with its reference, which nobody else gives back.
pub struct Driving<D: Facts>(NonNull<bindings::driver>, &'static Driver<D>);

// SAFETY: the C side locks.
unsafe impl<D: Facts> Send for Driving<D> {}
// SAFETY: as above.
unsafe impl<D: Facts> Sync for Driving<D> {}

impl<D: Facts> Drop for Driving<D> {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant; afterwards C knows neither the driver's data nor what it made of devices.
        unsafe {
            bindings::driver_unregister(self.0.as_ptr());
            bindings::rust_owner_hold(core::ptr::from_ref(self.1).cast(), false);
        }
    }
}

/// Where a new device stands: in a directory of /sys, or below a device, its parent, which lives as long as it does.
#[derive(Clone, Copy, Debug)]
pub struct Above<'a> {
    // Null, or a device.
    parent: *mut bindings::device,
    dir: *mut bindings::show_node,
    of: PhantomData<&'a Dir>,
}

impl<'a> From<&'a Dir> for Above<'a> {
    fn from(dir: &'a Dir) -> Self {
        Above { parent: core::ptr::null_mut(), dir: dir.as_ptr(), of: PhantomData }
    }
}

impl<'a, D: Facts> From<&'a Device<D>> for Above<'a> {
    fn from(d: &'a Device<D>) -> Self {
        Above { parent: d.dev.as_ptr(), dir: core::ptr::null_mut(), of: PhantomData }
    }
}

/// A device that its maker has. Dropped, the device is removed from its bus.
#[derive(Debug)]
pub struct Added<D: Facts>(Device<D>);

unsafe extern "C" fn matches<D: Facts>(device: *const c_void, driver: *const c_void) -> bool {
    // SAFETY: the data of a device is a D, that of a driver of the same bus a Driver<D> that lives for ever.
    let (d, drv) = unsafe { (&*device.cast::<D>(), &*driver.cast::<Driver<D>>()) };
    (drv.matches)(d)
}

unsafe extern "C" fn lines<D: Facts>(
    device: *const c_void,
    buf: *mut c_char,
    size: usize,
) -> isize {
    // SAFETY: the data of a device is a D; the buffer is the caller's, of that size.
    let (d, buf) =
        unsafe { (&*device.cast::<D>(), core::slice::from_raw_parts_mut(buf.cast::<u8>(), size)) };
    let mut t = Text::new(buf);
    d.lines(&mut t).map_or(Error::EIO.code() as isize, |()| t.len() as isize)
}

unsafe extern "C" fn release<D: Facts>(device: *mut c_void) {
    // SAFETY: the data came from into_raw(), and nobody has a reference any more.
    drop(unsafe { KBox::<D>::from_raw(device.cast()) });
}

unsafe extern "C" fn probe<D: Facts>(d: *mut bindings::device) -> i32 {
    let Some(dev) = NonNull::new(d) else { return Error::EINVAL.code() };
    // SAFETY: C calls with the device's lock, and holds a reference, so that ours is not counted.
    let (drv, dev) = unsafe {
        let drv = &*bindings::driver_data(bindings::device_driver(d)).cast::<Driver<D>>();
        (drv, ManuallyDrop::new(Device { dev, of: PhantomData }))
    };
    // Its place first: what a driver made of a device is not dropped without remove().
    let mut place: KBox<Option<KBox<dyn Bound>>> = match KBox::new(None, KERNEL) {
        Ok(place) => place,
        Err(_) => return Error::ENOMEM.code(),
    };
    match (drv.probe)(&dev) {
        Ok(b) => {
            *place = Some(b);
            // SAFETY: as above; remove() takes the box back.
            unsafe { bindings::device_set_bound(d, KBox::into_raw(place).cast()) };
            0
        }
        Err(e) => e.code(),
    }
}

unsafe extern "C" fn remove(d: *mut bindings::device, gone: bool) {
    // SAFETY: C calls with the device's lock, once after a probe() that set this box.
    let mut place =
        unsafe { KBox::<Option<KBox<dyn Bound>>>::from_raw(bindings::device_bound(d).cast()) };
    if let Some(mut b) = place.take() {
        b.remove(gone);
    }
}

impl<D: Facts> Bus<D> {
    const OPS: bindings::bus_ops = bindings::bus_ops {
        match_: Some(matches::<D>),
        uevent: Some(lines::<D>),
        release: Some(release::<D>),
        overrides: D::OVERRIDES,
        of_driver: D::OF_DRIVER,
    };
    const DRIVER_OPS: bindings::driver_ops =
        bindings::driver_ops { probe: Some(probe::<D>), remove: Some(remove) };

    /// /sys/bus/`name`, once; `lock` names the locks of its devices. Sleeps.
    ///
    /// ```
    /// use core::fmt::{self, Write};
    /// use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use kernel::alloc::{KBox, KERNEL};
    /// use kernel::device::{Bound, Bus, Device, Driver, Facts};
    /// use kernel::{show::Dir, Error, Result};
    /// struct Lamp(u32);
    /// impl Facts for Lamp {
    ///     const OVERRIDES: bool = false;
    ///     fn lines(&self, out: &mut dyn Write) -> fmt::Result {
    ///         writeln!(out, "WATTS={}", self.0)
    ///     }
    /// }
    /// static LIT: AtomicU32 = AtomicU32::new(0);
    /// struct Light(u32);
    /// impl Bound for Light {
    ///     fn remove(&mut self, _gone: bool) {
    ///         LIT.fetch_sub(self.0, Relaxed);
    ///     }
    /// }
    /// fn light(d: &Device<Lamp>) -> Result<KBox<dyn Bound>> {
    ///     LIT.fetch_add(d.facts().0, Relaxed);
    ///     Ok(KBox::new(Light(d.facts().0), KERNEL)?)
    /// }
    /// static DRIVER: Driver<Lamp> = Driver { name: c"lamp", matches: |l| l.0 < 100, probe: light, fixed: false };
    /// let bus = Bus::<Lamp>::new(c"example", c"example device")?;
    /// bus.drive(&DRIVER)?;
    /// let above = Dir::sys(c"kernel/example")?;
    /// let added = bus.make(&above, format_args!("lamp{}", 0), Lamp(60))?;
    /// let dir = added.dir();
    /// added.add()?;
    /// assert!(LIT.load(Relaxed) == 60 && dir.has(c"driver"));
    /// let bright = bus.make(&above, format_args!("lamp1"), Lamp(100))?;
    /// bright.add()?;
    /// assert!(LIT.load(Relaxed) == 60 && !bright.dir().has(c"driver"));
    /// assert_eq!(bus.make(&above, format_args!("lamp1"), Lamp(1)).err(), Some(Error::EEXIST));
    /// let files = Dir::sys(c"bus/example/drivers/lamp")?;
    /// assert_eq!(files.write(c"bind", "lamp1"), Err(Error::ENODEV));
    /// files.write(c"unbind", "lamp0\n")?;
    /// assert_eq!(LIT.load(Relaxed), 0);
    /// files.write(c"bind", "lamp0")?;
    /// let mut text = [0; 32];
    /// let len = dir.read(c"uevent", &mut text)?;
    /// assert_eq!(text.get(..len), Some(&b"DRIVER=lamp\nWATTS=60\n"[..]));
    /// drop(added);
    /// assert_eq!((LIT.load(Relaxed), above.has(c"lamp0")), (0, false));
    /// ```
    pub fn new(name: &'static CStr, lock: &'static CStr) -> Result<Self> {
        // SAFETY: names and operations live for ever; the operations know the data's types.
        let bus = unsafe { bindings::bus_register(name.as_ptr(), lock.as_ptr(), &Self::OPS) };
        Error::from_ptr(bus).map(|bus| Bus { bus, of: PhantomData })
    }

    /// Registers the driver, for ever; it gets the devices that it is for and that have none. Sleeps.
    pub fn drive(&self, driver: &'static Driver<D>) -> Result<Registered> {
        let data: *const Driver<D> = driver;
        // SAFETY: a count at an address of ours; given back below, or after the driver is off the bus.
        unsafe { bindings::rust_owner_hold(data.cast(), true) };
        // SAFETY: by the type's invariant; the operations know the data's type, and all of it lives for ever.
        let drv = unsafe {
            bindings::driver_register(
                self.bus.as_ptr(),
                driver.name.as_ptr(),
                &Self::DRIVER_OPS,
                data.cast(),
                driver.fixed,
            )
        };
        let registered = Error::from_ptr(drv).map(Registered);
        if registered.is_err() {
            // SAFETY: as above.
            unsafe { bindings::rust_owner_hold(data.cast(), false) };
        }
        registered
    }

    /// The same until what this gives is dropped, which sleeps, and not within a call of the driver. Where the driver is a module's, uses of the module may
    /// begin from here on (kernel/owner.h): programs open what it makes of the devices before its init has returned. So init fails if this does, and not later.
    ///
    /// ```
    /// use core::fmt::{self, Write};
    /// use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use kernel::alloc::{KBox, KERNEL};
    /// use kernel::device::{Bound, Bus, Device, Driver, Facts};
    /// use kernel::{show::Dir, Error, Result};
    /// struct Part;
    /// impl Facts for Part {
    ///     const OVERRIDES: bool = false;
    ///     fn lines(&self, _out: &mut dyn Write) -> fmt::Result {
    ///         Ok(())
    ///     }
    /// }
    /// static HAS: AtomicU32 = AtomicU32::new(0);
    /// struct Has;
    /// impl Bound for Has {
    ///     fn remove(&mut self, gone: bool) {
    ///         HAS.fetch_sub(if gone { 0 } else { 1 }, Relaxed);
    ///     }
    /// }
    /// fn have(_d: &Device<Part>) -> Result<KBox<dyn Bound>> {
    ///     HAS.fetch_add(1, Relaxed);
    ///     Ok(KBox::new(Has, KERNEL)?)
    /// }
    /// static DRIVER: Driver<Part> = Driver { name: c"part", matches: |_| true, probe: have, fixed: false };
    /// let bus = Bus::<Part>::new(c"example3", c"example device")?;
    /// let above = Dir::sys(c"kernel/example3")?;
    /// let added = bus.make(&above, format_args!("one"), Part)?;
    /// added.add()?;
    /// for _ in 0..3 {
    ///     let driving = bus.drive_for_now(&DRIVER)?;
    ///     assert_eq!(bus.drive_for_now(&DRIVER).err(), Some(Error::EBUSY));
    ///     assert!(HAS.load(Relaxed) == 1 && added.dir().has(c"driver"));
    ///     drop(driving);
    ///     assert!(HAS.load(Relaxed) == 0 && !added.dir().has(c"driver"));
    /// }
    /// ```
    pub fn drive_for_now(&self, driver: &'static Driver<D>) -> Result<Driving<D>> {
        let data: *const Driver<D> = driver;
        // SAFETY: a look at an address.
        unsafe { bindings::rust_owner_open(data.cast()) };
        self.drive(driver).map(|r| Driving(r.0, driver))
    }

    /// The device of that name, if there is one. Sleeps.
    pub fn find(&self, name: &str) -> Option<Device<D>> {
        // SAFETY: by the type's invariant; the name is of that length, and what comes back has a reference for us.
        let d = unsafe { bindings::bus_find(self.bus.as_ptr(), name.as_ptr().cast(), name.len()) };
        NonNull::new(d).map(|dev| Device { dev, of: PhantomData })
    }

    /// A walk over its devices in the order in which they were added: the first behind `at`, which begins with 0; a device that comes or goes meanwhile may be left out. Sleeps.
    ///
    /// ```
    /// use core::fmt::{self, Write};
    /// use kernel::alloc::{KBox, KERNEL};
    /// use kernel::device::{Bound, Bus, Device, Driver, Facts};
    /// use kernel::{show::Dir, Error, Result};
    /// struct Place(u32);
    /// impl Facts for Place {
    ///     const OVERRIDES: bool = false;
    ///     fn lines(&self, _out: &mut dyn Write) -> fmt::Result {
    ///         Ok(())
    ///     }
    /// }
    /// struct Count(u32);
    /// impl Bound for Count {
    ///     fn remove(&mut self, _gone: bool) {}
    /// }
    /// fn count(d: &Device<Place>) -> Result<KBox<dyn Bound>> {
    ///     Ok(KBox::new(Count(d.facts().0), KERNEL)?)
    /// }
    /// static DRIVER: Driver<Place> = Driver { name: c"count", matches: |p| p.0 > 1, probe: count, fixed: true };
    /// let bus = Bus::<Place>::new(c"example2", c"example device")?;
    /// let driver = bus.drive(&DRIVER)?;
    /// let above = Dir::sys(c"kernel/example2")?;
    /// bus.make(&above, format_args!("one"), Place(1))?.stay()?;
    /// let one = bus.find("one").ok_or(Error::ENOENT)?;
    /// bus.make(&one, format_args!("two"), Place(2))?.stay()?;
    /// let two = bus.find("two").ok_or(Error::ENOENT)?;
    /// bus.make(&two, format_args!("three"), Place(3))?.stay()?;
    /// let (mut at, mut sum) = (0, 0);
    /// while let Some(d) = bus.next(&mut at) {
    ///     sum = 10 * sum + d.facts().0;
    /// }
    /// assert_eq!((sum, at), (123, 4));
    /// assert_eq!(one.with_bound(|c: &mut Count| c.0), None);
    /// assert_eq!(two.with_bound(|c: &mut Count| { c.0 += 5; c.0 }), Some(7));
    /// struct Other;
    /// impl Bound for Other {
    ///     fn remove(&mut self, _gone: bool) {}
    /// }
    /// assert!(two.with_bound(|_: &mut Other| ()).is_none());
    /// assert!(driver.dir().has(c"two") && !driver.dir().has(c"one"));
    /// driver.attach();
    /// assert!(one.has_below() && one.dir().has(c"two"));
    /// let leaf = one.last_below().ok_or(Error::ENOENT)?;
    /// assert_eq!(leaf.facts().0, 3);
    /// assert_eq!(bus.make(&leaf, format_args!("four"), Place(4)).err(), Some(Error::ENODEV));
    /// leaf.remove(false);
    /// assert!(bus.find("three").is_none() && !two.has_below());
    /// one.remove(false);
    /// assert!(bus.find("two").is_none() && bus.next(&mut 0).is_none());
    /// ```
    pub fn next(&self, at: &mut u64) -> Option<Device<D>> {
        // SAFETY: by the type's invariant; what comes back has a reference for us.
        let d = unsafe { bindings::bus_next(self.bus.as_ptr(), at) };
        NonNull::new(d).map(|dev| Device { dev, of: PhantomData })
    }

    /// A device with its directory below `above`, which gets its files, and then is added. `EEXIST`: there is one of that name; `ENODEV`: its parent is being removed. Sleeps.
    pub fn make<'a>(
        &self,
        above: impl Into<Above<'a>>,
        name: fmt::Arguments<'_>,
        facts: D,
    ) -> Result<Added<D>> {
        let above = above.into();
        let facts = KBox::into_raw(KBox::new(facts, KERNEL)?);
        let made = crate::show::with_name(name, |name| {
            let (bus, name, facts) = (self.bus.as_ptr(), name.as_ptr(), facts.cast());
            // SAFETY: by the type's invariant, and that of the directory or the parent; C copies the name, and has the facts from here on.
            Error::from_ptr(unsafe {
                if above.parent.is_null() {
                    bindings::device_new(bus, above.dir, name, facts)
                } else {
                    bindings::device_new_below(bus, above.parent, name, facts)
                }
            })
        });
        match made {
            Ok(dev) => Ok(Added(Device { dev: dev?, of: PhantomData })),
            Err(e) => {
                // SAFETY: C has not seen them.
                drop(unsafe { KBox::from_raw(facts) });
                Err(e)
            }
        }
    }
}

impl<D: Facts> Device<D> {
    /// What the bus knows of it.
    pub fn facts(&self) -> &D {
        // SAFETY: by the type's invariant; the facts are not changed, and live as long as the reference.
        unsafe { &*bindings::device_data(self.dev.as_ptr()).cast::<D>() }
    }

    /// Its directory.
    pub fn dir(&self) -> Dir {
        // SAFETY: by the type's invariant.
        unsafe { Dir::pinned(bindings::device_dir(self.dev.as_ptr())) }
    }

    /// Whether both are the same device.
    pub fn is(&self, other: &Device<D>) -> bool {
        self.dev == other.dev
    }

    /// Removes what stands below it, takes its driver away and removes it; `gone`: it is not there any more. A second call has no effect.
    /// Sleeps.
    pub fn remove(&self, gone: bool) {
        // SAFETY: by the type's invariant.
        unsafe { bindings::device_remove(self.dev.as_ptr(), gone) }
    }

    /// Of those of its bus that stand below it, the newest that has none itself; it is to be removed, as nothing can be made below it any
    /// more. Sleeps.
    pub fn last_below(&self) -> Option<Device<D>> {
        // SAFETY: by the type's invariant; what comes back is of the same bus, and has a reference for us.
        let d = unsafe { bindings::device_last_below(self.dev.as_ptr()) };
        NonNull::new(d).map(|dev| Device { dev, of: PhantomData })
    }

    /// Whether a device of its bus stands below it. Sleeps.
    pub fn has_below(&self) -> bool {
        // SAFETY: by the type's invariant.
        unsafe { bindings::device_has_below(self.dev.as_ptr()) }
    }

    /// Calls `f` with what its driver keeps for it, if that is a `T`, and with its lock: no driver comes or leaves meanwhile. `f` may add and
    /// remove devices below it. `None`: it has no such driver. Sleeps.
    pub fn with_bound<T: Bound, R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let d = self.dev.as_ptr();
        // SAFETY: by the type's invariant. What is bound is the box of probe(), which remove() takes back with the same lock.
        let place = unsafe {
            bindings::device_lock(d);
            bindings::device_bound(d).cast::<Option<KBox<dyn Bound>>>().as_mut()
        };
        let bound = place.and_then(|p| p.as_mut()).map(|b| -> &mut dyn Any { &mut **b });
        let r = bound.and_then(|b| b.downcast_mut()).map(f);
        // SAFETY: as above; this task has locked it.
        unsafe { bindings::device_unlock(d) };
        r
    }
}

impl<D: Facts> Clone for Device<D> {
    fn clone(&self) -> Self {
        // SAFETY: by the type's invariant.
        unsafe { bindings::device_get(self.dev.as_ptr()) };
        Device { dev: self.dev, of: PhantomData }
    }
}

impl<D: Facts> Drop for Device<D> {
    fn drop(&mut self) {
        // SAFETY: by the type's invariant; the reference goes with us.
        unsafe { bindings::device_put(self.dev.as_ptr()) }
    }
}

impl<D: Facts> core::ops::Deref for Added<D> {
    type Target = Device<D>;

    fn deref(&self) -> &Device<D> {
        &self.0
    }
}

impl<D: Facts> Added<D> {
    /// Puts it on its bus, once it has its files; it gets its driver, if there is one. Once. Sleeps.
    pub fn add(&self) -> Result {
        // SAFETY: by the type's invariant.
        Error::from_ret(unsafe { bindings::device_add(self.0.dev.as_ptr()) }).map_or(Ok(()), Err)
    }

    /// As `add`, and leaves it to its bus, until it is found there and removed.
    pub fn stay(self) -> Result {
        self.add()?;
        // The bus has a reference of its own.
        let this = ManuallyDrop::new(self);
        // SAFETY: it is not used any more; only its removal is left out.
        drop(unsafe { core::ptr::read(&this.0) });
        Ok(())
    }
}

impl<D: Facts> Drop for Added<D> {
    fn drop(&mut self) {
        self.remove(false);
    }
}
