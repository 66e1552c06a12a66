// SPDX-License-Identifier: MIT
//! Kernel threads and the running task.

use crate::alloc::{Arc, KBox, KERNEL};
use crate::bindings;
use crate::error::{Error, Result};
use crate::refs::{ARef, RefCounted};
use crate::wait::Completion;
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void, CStr};
use core::ptr::NonNull;

/// A task, user or kernel.
///
/// ```
/// use kernel::thread::Task;
/// let me = Task::current();
/// let again = me.clone();
/// assert!(me.pid() > 0 && again.pid() == me.pid());
/// ```
#[repr(transparent)]
pub struct Task(UnsafeCell<bindings::task>);

// SAFETY: the functions of a task may be used from anywhere.
unsafe impl Send for Task {}
// SAFETY: as above.
unsafe impl Sync for Task {}

// SAFETY: a task stays as long as its count says.
unsafe impl RefCounted for Task {
    fn get(&self) {
        // SAFETY: a valid task.
        unsafe { bindings::get_task_struct(self.0.get()) }
    }

    unsafe fn put(obj: NonNull<Self>) {
        // SAFETY: the caller gives a reference up.
        unsafe { bindings::put_task_struct(obj.as_ptr().cast()) }
    }
}

impl Task {
    /// Who runs this.
    pub fn current() -> ARef<Task> {
        // SAFETY: the running task is valid while it runs.
        ARef::from(unsafe { &*bindings::rust_current().cast::<Task>() })
    }

    /// Its number in the initial namespace.
    pub fn pid(&self) -> i32 {
        // SAFETY: a valid task; the number does not change.
        unsafe { bindings::rust_task_pid(self.0.get()) }
    }
}

/// A process, as long as somebody speaks of it; it may have ended.
///
/// ```
/// use kernel::thread::Pid;
/// let me = Pid::current();
/// assert!(me.here() > 0);
/// assert!(*me == *Pid::current());
/// ```
#[repr(transparent)]
pub struct Pid(UnsafeCell<bindings::pid>);

// SAFETY: what is asked of it does not change.
unsafe impl Send for Pid {}
// SAFETY: as above.
unsafe impl Sync for Pid {}

// SAFETY: it stays as long as its count says.
unsafe impl RefCounted for Pid {
    fn get(&self) {
        // SAFETY: a valid one.
        unsafe { bindings::get_pid(self.0.get()) };
    }

    unsafe fn put(obj: NonNull<Self>) {
        // SAFETY: the caller gives a reference up.
        unsafe { bindings::put_pid(obj.as_ptr().cast()) }
    }
}

impl PartialEq for Pid {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

impl Pid {
    /// The process that runs this.
    pub fn current() -> ARef<Pid> {
        // SAFETY: the running process has one; the reference that C took is given up after ours is taken.
        unsafe {
            let raw = bindings::rust_process();
            let pid = ARef::from(&*raw.cast::<Pid>());
            bindings::put_pid(raw);
            pid
        }
    }

    /// Its number where the running program is; 0: it is not seen there.
    pub fn here(&self) -> i32 {
        // SAFETY: a valid one.
        unsafe { bindings::pid_vnr(self.0.get()) }
    }
}

/// A user of the system, in no namespace.
///
/// ```
/// assert_eq!(kernel::thread::Uid::of_process().here(), 0);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Uid(u32);

impl Uid {
    /// The effective user of the running thread.
    pub fn current() -> Self {
        // SAFETY: a question about the running task.
        Self(unsafe { bindings::rust_euid() })
    }

    /// That of the first thread of the running process.
    pub fn of_process() -> Self {
        // SAFETY: as above.
        Self(unsafe { bindings::rust_process_euid() })
    }

    /// Its number in the running program's namespace; `u32::MAX`: it has none there.
    pub fn here(self) -> u32 {
        // SAFETY: a question.
        unsafe { bindings::rust_uid_here(self.0) }
    }
}

/// A thread that was started.
pub struct JoinHandle {
    done: Arc<Completion>,
}

impl JoinHandle {
    /// Sleeps until its function has returned.
    pub fn join(self) {
        self.done.wait();
    }
}

struct Start<F> {
    f: F,
    done: Arc<Completion>,
}

unsafe extern "C" fn main<F: FnOnce() + Send + 'static>(data: *mut c_void) -> c_int {
    // SAFETY: spawn() lent the box.
    let s = unsafe { KBox::<Start<F>>::from_raw(data.cast()) }.into_inner();
    (s.f)();
    s.done.complete_all();
    0
}

/// Runs `f` in a kernel thread of that name.
///
/// ```
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use kernel::{alloc::Arc, thread};
/// let n = Arc::new(AtomicU32::new(0))?;
/// let theirs = n.clone();
/// thread::spawn(c"adder", move || {
///     theirs.fetch_add(5, Ordering::Relaxed);
/// })?.join();
/// assert_eq!(n.load(Ordering::Relaxed), 5);
/// ```
pub fn spawn<F: FnOnce() + Send + 'static>(name: &'static CStr, f: F) -> Result<JoinHandle> {
    let done = Arc::new(Completion::new()?)?;
    let raw = KBox::into_raw(KBox::new(Start { f, done: done.clone() }, KERNEL)?);
    // SAFETY: the thread takes the box.
    if unsafe { bindings::rust_spawn(name.as_ptr(), Some(main::<F>), raw.cast()) } {
        return Ok(JoinHandle { done });
    }
    // SAFETY: nobody took it.
    drop(unsafe { KBox::from_raw(raw) });
    Err(Error::ENOMEM)
}
