// SPDX-License-Identifier: MIT
//! Commands as bytes, and numbers as SCSI has them: the highest byte first.

/// A command of at most 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cdb {
    bytes: [u8; 16],
    len: u8,
}

const TEST_UNIT_READY: u8 = 0x00;
const INQUIRY: u8 = 0x12;
const MODE_SENSE_6: u8 = 0x1a;
const START_STOP: u8 = 0x1b;
const PREVENT_ALLOW: u8 = 0x1e;
const READ_TOC: u8 = 0x43;
const GET_EVENT: u8 = 0x4a;
const SET_CD_SPEED: u8 = 0xbb;
const READ_CAPACITY_10: u8 = 0x25;
const READ_10: u8 = 0x28;
const WRITE_10: u8 = 0x2a;
const SYNCHRONIZE_CACHE_10: u8 = 0x35;
const UNMAP: u8 = 0x42;
const READ_16: u8 = 0x88;
const WRITE_16: u8 = 0x8a;
const SYNCHRONIZE_CACHE_16: u8 = 0x91;
const WRITE_SAME_16: u8 = 0x93;
const SERVICE_IN_16: u8 = 0x9e;
const READ_CAPACITY_16: u8 = 0x10; // a service action
const REPORT_LUNS: u8 = 0xa0;

/// Most blocks that a command of 10 bytes names.
pub const MOST_10: u32 = 0xffff;

impl Cdb {
    /// One of `len` bytes, of which `fields` gives the first byte and the value of some numbers: (offset, bytes, value).
    fn new(len: u8, code: u8, fields: &[(usize, usize, u64)]) -> Cdb {
        let mut c = Cdb { bytes: [0; 16], len };
        put(&mut c.bytes, 0, 1, code.into());
        for (at, n, v) in fields {
            put(&mut c.bytes, *at, *n, *v);
        }
        c
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    /// Whether it can be done now (SPC 6.47).
    pub fn test_unit_ready() -> Cdb {
        Cdb::new(6, TEST_UNIT_READY, &[])
    }

    /// What it is (SPC 6.7).
    pub fn inquiry(room: u16) -> Cdb {
        Cdb::new(6, INQUIRY, &[(3, 2, room.into())])
    }

    /// A page of vital product data.
    pub fn vpd(page: u8, room: u16) -> Cdb {
        Cdb::new(6, INQUIRY, &[(1, 1, 1), (2, 1, page.into()), (3, 2, room.into())])
    }

    /// A page of modes, 0x3f: all (SPC 6.14). Without block descriptors.
    pub fn mode_sense(page: u8, room: u8) -> Cdb {
        Cdb::new(6, MODE_SENSE_6, &[(1, 1, 8), (2, 1, page.into()), (4, 1, room.into())])
    }

    /// Moves the tray, in where `load` (SBC 5.31).
    pub fn tray(load: bool) -> Cdb {
        Cdb::new(6, START_STOP, &[(4, 1, if load { 3 } else { 2 })])
    }

    /// The medium cannot be taken out, or can again (SBC 5.15).
    pub fn lock(on: bool) -> Cdb {
        Cdb::new(6, PREVENT_ALLOW, &[(4, 1, on.into())])
    }

    /// The table of contents from `track` on, in `room` bytes; `msf`: places in minutes, seconds and frames; `sessions`: the first track of the last session instead
    /// (MMC 6.25).
    pub fn toc(track: u8, msf: bool, sessions: bool, room: u16) -> Cdb {
        Cdb::new(
            10,
            READ_TOC,
            &[
                (1, 1, if msf { 2 } else { 0 }),
                (6, 1, track.into()),
                (7, 2, room.into()),
                (9, 1, if sessions { 0x40 } else { 0 }),
            ],
        )
    }

    /// What happened to the medium, told at once, in 8 bytes (MMC 6.6).
    pub fn media_event() -> Cdb {
        Cdb::new(10, GET_EVENT, &[(1, 1, 1), (4, 1, 0x10), (7, 2, 8)])
    }

    /// Reads with so many kilobytes a second from now on; 0xffff: as fast as it can (MMC 6.36).
    pub fn speed(kilobytes: u16) -> Cdb {
        Cdb::new(12, SET_CD_SPEED, &[(2, 2, kilobytes.into()), (4, 2, 0xffff)])
    }

    /// The logical units of the target (SPC 6.33).
    pub fn report_luns(room: u32) -> Cdb {
        Cdb::new(12, REPORT_LUNS, &[(6, 4, room.into())])
    }

    /// The last block and its length, in 8 bytes (SBC 5.15).
    pub fn read_capacity_10() -> Cdb {
        Cdb::new(10, READ_CAPACITY_10, &[])
    }

    /// The same, and more, in 32 bytes (SBC 5.16).
    pub fn read_capacity_16() -> Cdb {
        Cdb::new(16, SERVICE_IN_16, &[(1, 1, READ_CAPACITY_16.into()), (10, 4, 32)])
    }

    /// Reads or writes blocks; `fua`: past the cache. 16 bytes where `long`, or where 10 do not do (SBC 5.11, 5.13).
    pub fn transfer(write: bool, lba: u64, blocks: u32, fua: bool, long: bool) -> Cdb {
        let flags = if fua { 8 } else { 0 };
        if long || lba > u64::from(u32::MAX) || blocks > MOST_10 {
            return Cdb::new(
                16,
                if write { WRITE_16 } else { READ_16 },
                &[(1, 1, flags), (2, 8, lba), (10, 4, blocks.into())],
            );
        }
        Cdb::new(
            10,
            if write { WRITE_10 } else { READ_10 },
            &[(1, 1, flags), (2, 4, lba), (7, 2, blocks.into())],
        )
    }

    /// All of the cache becomes durable (SBC 5.27).
    pub fn synchronize(long: bool) -> Cdb {
        if long {
            Cdb::new(16, SYNCHRONIZE_CACHE_16, &[])
        } else {
            Cdb::new(10, SYNCHRONIZE_CACHE_10, &[])
        }
    }

    /// Forgets the ranges of a list of `len` bytes (SBC 5.34).
    pub fn unmap(len: u16) -> Cdb {
        Cdb::new(10, UNMAP, &[(7, 2, len.into())])
    }

    /// Writes one block again and again; `unmap`: it may forget them instead, if they read as that block (SBC 5.50).
    pub fn write_same(lba: u64, blocks: u32, unmap: bool) -> Cdb {
        Cdb::new(
            16,
            WRITE_SAME_16,
            &[(1, 1, if unmap { 8 } else { 0 }), (2, 8, lba), (10, 4, blocks.into())],
        )
    }
}

/// Writes `n` bytes at `at`, as far as there is room.
pub fn put(to: &mut [u8], at: usize, n: usize, v: u64) {
    let bytes = v.to_be_bytes();
    for (to, b) in to.iter_mut().skip(at).zip(bytes.iter().skip(8 - n.min(8))) {
        *to = *b;
    }
}

/// The number of `n` bytes at `at`; `None`: the bytes end before.
pub fn number(from: &[u8], at: usize, n: usize) -> Option<u64> {
    let bytes = from.get(at..at.checked_add(n)?)?;
    Some(bytes.iter().fold(0, |v, b| v << 8 | u64::from(*b)))
}

/// The list of one range for `Cdb::unmap`, in 24 bytes.
pub fn unmap_list(lba: u64, blocks: u32) -> [u8; 24] {
    let mut list = [0; 24];
    put(&mut list, 0, 2, 22);
    put(&mut list, 2, 2, 16);
    put(&mut list, 8, 8, lba);
    put(&mut list, 16, 4, blocks.into());
    list
}
