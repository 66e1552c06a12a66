// SPDX-License-Identifier: MIT
//! The module in Rust that tests load: hello.c's brother. `fail=N` makes its init fail, `crash` panics there.
#![no_std]

use core::ffi::CStr;
use core::sync::atomic::{AtomicUsize, Ordering};
use kernel::alloc::{KBox, KERNEL};
use kernel::chrdev::{Access, Device, Registration};
use kernel::module::{Module, Param};
use kernel::user::{Sink, Source};
use kernel::{module, pr_info, Error, Result};

module! {
    type: Hello,
    license: "MIT",
    author: "Ochre",
    description: "says hello, in Rust",
    aliases: ["greeter-rust", "char-major-241-*"],
    params: {
        TIMES: times: int = Param::new(1), 0o444, "how often it greets";
        LIMIT: limit: uint = Param::new(10), 0o400, "a number";
        FAIL: fail: bool = Param::new(false), 0, "init answers ENOSPC";
        CRASH: crash: bool = Param::new(false), 0, "init panics";
        FORGET: forget: bool = Param::new(false), 0o444, "exit leaves the device behind";
        WHO: who: charp = Param::text(c"world"), 0o444, "whom it greets";
    }
}

/// What was written last is how much a read gives.
struct Counter(AtomicUsize);
static COUNTER: Counter = Counter(AtomicUsize::new(0));

impl Device for Counter {
    type File = KBox<u32>;

    fn open(&'static self, _how: Access) -> Result<KBox<u32>> {
        KBox::new(LIMIT.get(), KERNEL)
    }

    fn read(&'static self, file: &KBox<u32>, to: &mut Sink<'_>, _how: Access) -> Result<usize> {
        to.write(&(**file as u64 + self.0.load(Ordering::Relaxed) as u64).to_le_bytes())
    }

    fn write(
        &'static self,
        _file: &KBox<u32>,
        from: &mut Source<'_>,
        _how: Access,
    ) -> Result<usize> {
        let n = from.len();
        self.0.store(n, Ordering::Relaxed);
        Ok(n)
    }
}

struct Hello {
    node: Option<Registration>,
    greeted: KBox<i32>,
}

fn who() -> &'static str {
    let who: &'static CStr = WHO.get();
    who.to_str().unwrap_or("somebody")
}

impl Module for Hello {
    fn init() -> Result<Self> {
        let all = [1, 2, 3];
        if FAIL.get() {
            return Err(Error::ENOSPC);
        }
        let greeted = KBox::new(TIMES.get(), KERNEL)?;
        let node = Registration::new(c"hello_rust", 0o600, &COUNTER)?;
        for _ in 0..*greeted {
            pr_info!("hello_rust: hello {}, {}\n", LIMIT.get(), who());
        }
        if CRASH.get() {
            pr_info!("hello_rust: {}\n", all[TIMES.get() as usize + 7]);
        }
        Ok(Hello { node: Some(node), greeted })
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        if FORGET.get() {
            core::mem::forget(self.node.take());
        }
        pr_info!("hello_rust: bye after {}\n", *self.greeted);
    }
}
