// SPDX-License-Identifier: MIT
//! Nor do they allow it to themselves.
#![allow(unsafe_code)] // error: E0453
