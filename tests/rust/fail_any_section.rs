// SPDX-License-Identifier: MIT
//! A function is called at one of two levels; nothing goes to another section of the image.
fn nothing() -> kernel::Result {
    Ok(())
}

kernel::initcall!(".text", example, nothing); // error: uncoded
