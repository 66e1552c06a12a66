// SPDX-License-Identifier: MIT
//! Tests with functions that QEMU has for them.

mod edu;
