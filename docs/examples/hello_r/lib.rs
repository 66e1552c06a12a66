// SPDX-License-Identifier: MIT
#![no_std]
use kernel::chrdev::{Access, Device, Registration};
use kernel::user::Sink;
use kernel::{module, pr_info, Result};

module! {
    type: Hello,
    license: "MIT",
    author: "you",
    description: "/dev/hello_r says hello",
    aliases: [],
    params: {}
}

struct Greeter;
static GREETER: Greeter = Greeter;

impl Device for Greeter {
    type File = ();

    fn open(&'static self, _how: Access) -> Result<()> {
        Ok(())
    }

    fn read(&'static self, _file: &(), to: &mut Sink<'_>, _how: Access) -> Result<usize> {
        to.write(b"hello\n")
    }
}

struct Hello {
    _device: Registration,
}

impl kernel::module::Module for Hello {
    fn init() -> Result<Self> {
        Ok(Hello { _device: Registration::new(c"hello_r", 0o600, &GREETER)? })
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        pr_info!("hello_r: goodbye\n");
    }
}
