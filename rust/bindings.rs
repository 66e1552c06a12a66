// SPDX-License-Identifier: MIT
//! What the kernel's C headers declare, as bindgen sees it.
#![allow(
    clippy::all,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    unnecessary_transmutes
)]

include!(env!("OCHRE_BINDINGS"));

/// A C object whose members bindgen does not know (it may see a forward declaration alone): only its size.
macro_rules! by_size {
    ($name:ident, $size:ident) => {
        #[repr(C, align(8))]
        pub struct $name([u8; $size as usize]);
    };
}

by_size!(completion_bytes, RUST_SIZEOF_COMPLETION);
by_size!(work_bytes, RUST_SIZEOF_WORK);
by_size!(delayed_work_bytes, RUST_SIZEOF_DELAYED_WORK);

// What is held by value, or looked into, is what C thinks it is.
const _: () = {
    assert!(size_of::<mutex>() == RUST_SIZEOF_MUTEX as usize);
    assert!(size_of::<rw_semaphore>() == RUST_SIZEOF_RWSEM as usize);
    assert!(size_of::<wait_queue_head_t>() == RUST_SIZEOF_WAIT_QUEUE as usize);
    assert!(size_of::<hrtimer>() == RUST_SIZEOF_HRTIMER as usize);
    assert!(size_of::<rcu_head>() == RUST_SIZEOF_RCU_HEAD as usize);
    assert!(size_of::<spinlock_t>() == RUST_SIZEOF_SPINLOCK as usize);
    assert!(size_of::<refcount_t>() == RUST_SIZEOF_REFCOUNT as usize);
    assert!(size_of::<kiocb>() == RUST_SIZEOF_KIOCB as usize);
    assert!(size_of::<bio>() == RUST_SIZEOF_BIO as usize);
    assert!(size_of::<file_operations>() == RUST_SIZEOF_FILE_OPS as usize);
    assert!(size_of::<disk_ops>() == RUST_SIZEOF_DISK_OPS as usize);
    assert!(size_of::<console>() == RUST_SIZEOF_CONSOLE as usize);
    assert!(size_of::<tty_ops>() == RUST_SIZEOF_TTY_OPS as usize);
};
