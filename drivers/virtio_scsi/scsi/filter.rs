// SPDX-License-Identifier: MIT
//! Which commands a program may give a device that does not hold CAP_SYS_RAWIO: by the first byte alone. Those that only look may go by a file that
//! is open for reading, those that change what a medium holds by one that is open for writing; none else. The sets are Linux's.

/// What a command needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// A file.
    Open,
    /// A file that is open for writing.
    Write,
    /// CAP_SYS_RAWIO.
    Right,
}

/// What the command that begins with `code` needs.
pub fn needs(code: u8) -> Needs {
    match code {
        // Is it ready, why not, what is it; modes, logs, diagnostics.
        0x00 | 0x03 | 0x12 | 0x1a | 0x1b | 0x1c | 0x4d | 0x5a | 0xa0 | 0xa3 => Needs::Open,
        // Reads, sizes, defects, buffers, verification, zones.
        0x08 | 0x25 | 0x28 | 0x2f | 0x37 | 0x3c | 0x3e | 0x88 | 0x8f | 0x95 | 0x9e | 0xa8 => {
            Needs::Open
        }
        // Optical media: sound, tables, keys, features.
        0x23
        | 0x2b
        | 0x42..=0x48
        | 0x4a
        | 0x4b
        | 0x4e
        | 0x51
        | 0x52
        | 0x5c
        | 0xa4
        | 0xac
        | 0xad
        | 0xb9
        | 0xba
        | 0xbc
        | 0xbe => Needs::Open,
        // Writes, erasure, modes, logs, zones.
        0x04 | 0x0a | 0x0d | 0x15 | 0x19 | 0x2a | 0x2e | 0x35 | 0x3f | 0x41 | 0x4c | 0x55
        | 0x8a | 0x93 | 0x94 | 0xaa | 0xae | 0xea => Needs::Write,
        // Optical media: tracks, streams, the tray.
        0x1e | 0x53 | 0x54 | 0x58 | 0x5b | 0x5d | 0xa1 | 0xa2 | 0xa6 | 0xa7 | 0xb6 | 0xbb
        | 0xbf => Needs::Write,
        _ => Needs::Right,
    }
}
