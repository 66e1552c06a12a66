// SPDX-License-Identifier: MIT
//! What a logical unit says of itself: INQUIRY (SPC 6.7) and its pages of vital product data, logical units, capacity, modes. All of it is
//! decoded from a copy; what is not there is told as absent, and nothing is read behind the length that an answer claims.

use super::cdb::number;

/// A disk (peripheral device type).
pub const DISK: u8 = 0;
/// A scanner.
pub const SCANNER: u8 = 6;
/// A CD drive.
pub const CD: u8 = 5;

/// INQUIRY's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inquiry {
    /// 0: the unit is there.
    pub qualifier: u8,
    /// What kind it is.
    pub kind: u8,
    /// The medium can be taken out.
    pub removable: bool,
    /// Version of SPC: 5 is SPC-3.
    pub version: u8,
    /// Padded with spaces, printable, as are the others.
    pub vendor: [u8; 8],
    /// The model.
    pub product: [u8; 16],
    /// The model's revision.
    pub revision: [u8; 4],
}

/// Text that is ASCII and printable; everything else is a space.
fn text<const N: usize>(from: &[u8], at: usize) -> [u8; N] {
    let mut t = [b' '; N];
    for (to, b) in t.iter_mut().zip(from.iter().skip(at)) {
        // Linux ends a text at a NUL, and has spaces for all that cannot be printed.
        if *b == 0 {
            break;
        }
        *to = if (0x20..0x7f).contains(b) { *b } else { b' ' };
    }
    t
}

/// Decodes it. `None`: it ends before its version.
pub fn inquiry(b: &[u8]) -> Option<Inquiry> {
    let first = *b.first()?;
    let version = *b.get(2)?;
    let end = b.len().min(5 + usize::from(b.get(4).copied().unwrap_or(0)));
    let b = b.get(..end)?;
    Some(Inquiry {
        qualifier: first >> 5,
        kind: first & 0x1f,
        removable: b.get(1).is_some_and(|x| x & 0x80 != 0),
        version: version & 7,
        vendor: text(b, 8),
        product: text(b, 16),
        revision: text(b, 32),
    })
}

/// The content of page `page`, without its header. `None`: another page, or none.
pub fn vpd(b: &[u8], page: u8) -> Option<&[u8]> {
    if *b.get(1)? != page {
        return None;
    }
    let len = number(b, 2, 2)? as usize;
    b.get(4..b.len().min(4 + len))
}

/// Which pages there are (0x00): whether `page` is one.
pub fn has_page(supported: &[u8], page: u8) -> bool {
    supported.contains(&page)
}

/// What names a unit for ever (0x83): the longest of its NAAs, EUI-64s and so on of the unit itself. (Type of designator, bytes.)
pub fn identity(page: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = page;
    let mut best: Option<(u8, &[u8])> = None;
    while let (Some(association), Some(len)) = (rest.get(1), rest.get(3)) {
        let Some(bytes) = rest.get(4..4 + usize::from(*len)) else { break };
        let kind = association & 15;
        // NAA before EUI-64 before the vendor's text.
        let rank = |k: u8| if k <= 3 { k } else { 0 };
        if association >> 4 & 3 == 0
            && best.is_none_or(|(k, b)| (rank(kind), bytes.len()) > (rank(k), b.len()))
        {
            best = Some((kind, bytes));
        }
        rest = rest.get(4 + usize::from(*len)..).unwrap_or(&[]);
    }
    best
}

/// Limits (0xb0); 0: none is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Blocks of one transfer.
    pub transfer: u32,
    /// Blocks of one UNMAP.
    pub unmap: u32,
    /// Ranges of one UNMAP.
    pub unmap_ranges: u32,
    /// Blocks of one WRITE SAME.
    pub same: u64,
}

/// Decodes page 0xb0's content; a page of SBC-2 has transfers alone.
pub fn limits(page: &[u8]) -> Limits {
    let at = |at, n| number(page, at, n).unwrap_or(0);
    Limits {
        transfer: at(4, 4) as u32,
        unmap: at(16, 4) as u32,
        unmap_ranges: at(20, 4) as u32,
        same: at(32, 8),
    }
}

/// Whether page 0xb1's content says that it does not turn.
pub fn is_solid(page: &[u8]) -> bool {
    number(page, 0, 2) == Some(1)
}

/// How blocks are forgotten (0xb2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Provisioning {
    /// By UNMAP.
    pub unmap: bool,
    /// By WRITE SAME (16) with its flag.
    pub same_16: bool,
    /// What is forgotten reads as zeroes.
    pub zeroes: bool,
}

/// Decodes page 0xb2's content.
pub fn provisioning(page: &[u8]) -> Provisioning {
    let flags = page.get(1).copied().unwrap_or(0);
    Provisioning { unmap: flags & 0x80 != 0, same_16: flags & 0x40 != 0, zeroes: flags & 4 != 0 }
}

/// The numbers of logical units below 16,384 that REPORT LUNS gave, in its order; other kinds are left out.
pub fn luns(b: &[u8]) -> impl Iterator<Item = u16> + '_ {
    let len = number(b, 0, 4).unwrap_or(0).min(b.len() as u64) as usize;
    let list = b.get(8..b.len().min(8 + len)).unwrap_or(&[]);
    list.as_chunks::<8>().0.iter().filter_map(|[first, second, rest @ ..]| {
        // One level alone, and the bus 0 of peripheral addressing.
        let flat = rest.iter().all(|b| *b == 0);
        match first >> 6 {
            0 if flat && *first == 0 => Some((*second).into()),
            1 if flat => Some(u16::from(first & 0x3f) << 8 | u16::from(*second)),
            _ => None,
        }
    })
}

/// How large a disk is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capacity {
    /// How many blocks; more than one.
    pub blocks: u64,
    /// Bytes in one.
    pub block: u32,
    /// Bytes in a physical one.
    pub physical: u32,
    /// It forgets blocks, and those read as zeroes.
    pub thin: (bool, bool),
}

/// READ CAPACITY (10)'s answer. `None`: too short; the count is 2^32 where it does not fit.
pub fn capacity_10(b: &[u8]) -> Option<Capacity> {
    let (last, block) = (number(b, 0, 4)?, number(b, 4, 4)? as u32);
    Some(Capacity { blocks: last + 1, block, physical: block, thin: (false, false) })
}

/// READ CAPACITY (16)'s answer. `None`: too short, or a count that no disk has.
pub fn capacity_16(b: &[u8]) -> Option<Capacity> {
    let (last, block) = (number(b, 0, 8)?, number(b, 8, 4)? as u32);
    let exponent = b.get(13).copied().unwrap_or(0) & 15;
    let thin = b.get(14).copied().unwrap_or(0);
    let physical =
        block.checked_shl(exponent.into()).filter(|p| p >> exponent == block).unwrap_or(block);
    Some(Capacity {
        blocks: last.checked_add(1)?,
        block,
        physical,
        thin: (thin & 0x80 != 0, thin & 0x40 != 0),
    })
}

/// What MODE SENSE (6) says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Modes {
    /// It cannot be written.
    pub protected: bool,
    /// It knows transfers past its cache.
    pub fua: bool,
    /// Its cache forgets without a flush; `None`: it does not say.
    pub write_cache: Option<bool>,
}

const CACHING: u8 = 8;

/// Decodes the header, and the page of caching where there is one.
pub fn modes(b: &[u8]) -> Option<Modes> {
    let flags = *b.get(2)?;
    let end = b.len().min(1 + usize::from(*b.first()?));
    let mut rest = b.get(4 + usize::from(*b.get(3)?)..end).unwrap_or(&[]);
    let mut m = Modes { protected: flags & 0x80 != 0, fua: flags & 0x10 != 0, write_cache: None };
    while let (Some(code), Some(len)) = (rest.first(), rest.get(1)) {
        if code & 0x7f == CACHING {
            m.write_cache = rest.get(2).map(|f| f & 4 != 0);
            break;
        }
        // A page with subpages has a length of two bytes.
        let len = if code & 0x40 != 0 {
            4 + number(rest, 2, 2).unwrap_or(0) as usize
        } else {
            2 + usize::from(*len)
        };
        rest = rest.get(len..).unwrap_or(&[]);
    }
    Some(m)
}
