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
