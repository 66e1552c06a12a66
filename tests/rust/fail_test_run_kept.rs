// SPDX-License-Identifier: MIT
//! A test's run goes to no other thread, and is not kept beyond the test.
use kernel::ktest::Run;

fn keeps(run: &mut Run<'_>) -> kernel::Result {
    kernel::thread::spawn(c"later", move || drop(run.skip(c"late")))?.join(); // error: E0277
    Ok(())
}

kernel::ktest!(keeps, keeps);
