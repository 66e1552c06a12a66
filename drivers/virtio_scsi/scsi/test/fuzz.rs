// SPDX-License-Identifier: MIT
//! Whatever a device answers is decoded without a panic, and what comes out holds: the root of a crate for the build
//! machine (`rust/test/fuzz.rs`). The first byte says what the rest is.
#![no_std]
#![forbid(unsafe_op_in_unsafe_fn)]
#![allow(dead_code)]

#[path = "../cdb.rs"]
mod cdb;
#[path = "../../../../rust/test/fuzz.rs"]
mod fuzz;
#[path = "../inquiry.rs"]
mod inquiry;
#[path = "../optical.rs"]
mod optical;
#[path = "../sense.rs"]
mod sense;

/// Decodes one answer.
pub fn one(bytes: &[u8]) {
    let Some((kind, b)) = bytes.split_first() else { return };
    match kind {
        0 => senses(b),
        1 => inquiries(b),
        2 => pages(b),
        3 => disks(b),
        _ => drives(b),
    }
}

/// Sense data: a key of four bits, and the same whatever follows the 252 bytes that there can be.
fn senses(b: &[u8]) {
    let s = sense::decode(b);
    assert_eq!(s, sense::decode(b.get(..252).unwrap_or(b)));
    if let Some(s) = s {
        assert!(s.key < 16);
        assert!(b.first().is_some_and(|f| (0x70..=0x73).contains(&(f & 0x7f))));
        assert_eq!(s.deferred, b.first().is_some_and(|f| f & 1 != 0));
    }
}

/// INQUIRY: texts that can be printed, nothing of what lies behind the length that it claims.
fn inquiries(b: &[u8]) {
    let Some(i) = inquiry::inquiry(b) else { return };
    assert!(i.qualifier < 8 && i.kind < 32 && i.version < 8);
    for text in [&i.vendor[..], &i.product, &i.revision] {
        assert!(text.iter().all(|c| (0x20..0x7f).contains(c)));
    }
    let end = 5 + usize::from(b.get(4).copied().unwrap_or(0));
    if let Some(claimed) = b.get(..end) {
        assert_eq!(inquiry::inquiry(claimed), Some(i));
    }
}

/// Vital product data, and logical units.
fn pages(b: &[u8]) {
    for page in [0, 0x80, 0x83, 0xb0, 0xb1, 0xb2] {
        let Some(v) = inquiry::vpd(b, page) else { continue };
        assert!(v.len() + 4 <= b.len());
        if let Some((_, name)) = inquiry::identity(v) {
            assert!(v.as_ptr_range().start <= name.as_ptr_range().start);
            assert!(name.as_ptr_range().end <= v.as_ptr_range().end);
        }
        let l = inquiry::limits(v);
        assert!(l.transfer == 0 || v.len() >= 8);
        assert!(l.same == 0 || v.len() >= 40);
        inquiry::provisioning(v);
        inquiry::is_solid(v);
        inquiry::has_page(v, page);
    }
    assert!(inquiry::luns(b).count() * 8 <= b.len());
    assert!(inquiry::luns(b).all(|n| n < 1 << 14));
}

/// Capacity and modes.
fn disks(b: &[u8]) {
    if let Some(c) = inquiry::capacity_10(b) {
        assert!((1..=1 << 32).contains(&c.blocks) && c.block == c.physical);
    }
    if let Some(c) = inquiry::capacity_16(b) {
        assert!(c.blocks > 0);
        assert!(c.physical == c.block || c.block != 0 && c.physical.is_multiple_of(c.block));
    }
    inquiry::modes(b);
}

/// CD drives.
fn drives(b: &[u8]) {
    optical::capabilities(b);
    assert!(optical::event(b).is_none() || b.len() >= 6);
    for end in [0, 1, u32::MAX] {
        if let Some((sectors, block)) = optical::size(b, end) {
            assert!(block == 512 || block == 2048 && sectors % 4 == 0, "{sectors} {block}");
        }
    }
    assert_eq!(optical::tracks(b).is_some(), b.len() >= 4);
    if let Some(t) = optical::track(b) {
        assert!(t.adr < 16 && t.control < 16);
        let at = optical::block(t.at);
        assert!((-150..=1_166_730).contains(&at), "{at}");
    }
    let (m, s, f) = optical::msf(optical::last_session(b));
    assert!(s < 60 && f < 75, "{m} {s} {f}");
}
