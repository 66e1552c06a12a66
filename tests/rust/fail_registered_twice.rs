// SPDX-License-Identifier: MIT
//! A registration is one owner's, and a device that goes with its scope cannot be registered.
use kernel::chrdev::{Access, Device, Registration};
use kernel::Result;

struct Null;
impl Device for Null {
    type File = ();
    fn open(&'static self, _how: Access) -> Result {
        Ok(())
    }
}

pub fn two_owners(r: Registration) -> (Registration, Registration) {
    (r, r) // error: E0382
}

pub fn local() -> Result {
    let dev = Null;
    let _node = Registration::new(c"null0", 0o600, &dev)?; // error: E0597
    Ok(())
}
