// SPDX-License-Identifier: MIT
//! The structure that SG_IO takes and gives back (sg_io_hdr of version 3), as the bytes that a program of 64 bits has.

/// Bytes of it.
pub const SIZE: usize = 88;

/// Ways of data.
pub mod way {
    #![allow(missing_docs)]
    pub const NONE: i32 = -1;
    pub const TO_DEVICE: i32 = -2;
    pub const FROM_DEVICE: i32 = -3;
    pub const TO_FROM_DEVICE: i32 = -4;
    pub const UNKNOWN: i32 = -5;
}

/// What a program asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// 'S'.
    pub interface: i32,
    /// One of `way`.
    pub way: i32,
    /// Bytes of the command.
    pub command_len: u8,
    /// Room for sense data.
    pub sense_room: u8,
    /// Pieces of a list; 0: `data` is the memory itself.
    pub pieces: u16,
    /// Bytes of data.
    pub len: u32,
    /// Where the data are, or the list of their pieces.
    pub data: u64,
    /// Where the command is.
    pub command: u64,
    /// Where sense data go.
    pub sense: u64,
    /// In milliseconds; 0: the usual time.
    pub timeout: u32,
    /// Bits.
    pub flags: u32,
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct End {
    /// The unit's status.
    pub status: u8,
    /// Sense data that were written.
    pub sense_len: u8,
    /// What the host says; 0: nothing.
    pub host: u16,
    /// Bytes that were not transferred.
    pub left: u32,
    /// In milliseconds.
    pub duration: u32,
}

fn array<const N: usize>(b: &[u8; SIZE], at: usize) -> [u8; N] {
    b.get(at..).and_then(|b| b.first_chunk()).copied().unwrap_or([0; N])
}

fn put<const N: usize>(b: &mut [u8; SIZE], at: usize, v: [u8; N]) {
    if let Some(to) = b.get_mut(at..).and_then(|b| b.first_chunk_mut()) {
        *to = v;
    }
}

impl Header {
    /// Decodes it.
    pub fn decode(b: &[u8; SIZE]) -> Header {
        let [command_len, sense_room] = array(b, 8);
        Header {
            interface: i32::from_ne_bytes(array(b, 0)),
            way: i32::from_ne_bytes(array(b, 4)),
            command_len,
            sense_room,
            pieces: u16::from_ne_bytes(array(b, 10)),
            len: u32::from_ne_bytes(array(b, 12)),
            data: u64::from_ne_bytes(array(b, 16)),
            command: u64::from_ne_bytes(array(b, 24)),
            sense: u64::from_ne_bytes(array(b, 32)),
            timeout: u32::from_ne_bytes(array(b, 40)),
            flags: u32::from_ne_bytes(array(b, 44)),
        }
    }
}

const CHECK: u32 = 1; // info: look at the statuses
const SENSE: u16 = 8; // driver_status
const CHECK_CONDITION: u8 = 2;

impl End {
    /// Writes what came of it into the structure that the program gave; the rest stays.
    pub fn encode(&self, b: &mut [u8; SIZE]) {
        let driver = if self.status == CHECK_CONDITION { SENSE } else { 0 };
        let masked = self.status >> 1 & 0x7f;
        put(b, 64, [self.status, masked, 0, self.sense_len]);
        put(b, 68, self.host.to_ne_bytes());
        put(b, 70, driver.to_ne_bytes());
        put(b, 72, self.left.to_ne_bytes());
        put(b, 76, self.duration.to_ne_bytes());
        let info = if masked != 0 || self.host != 0 || driver != 0 { CHECK } else { 0 };
        put(b, 80, info.to_ne_bytes());
    }
}
