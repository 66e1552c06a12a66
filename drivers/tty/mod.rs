// SPDX-License-Identifier: MIT
//! Serial lines.

pub mod ns16550;
pub mod pl011;
pub mod port;
