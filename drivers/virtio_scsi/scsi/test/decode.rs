// SPDX-License-Identifier: MIT
//! What is decoded: answers as devices give them, each cut at every length, and bytes at random.

use super::cdb::{self, unmap_list, Cdb};
use super::header;
use super::inquiry::{self, Capacity, Limits, Provisioning};
use super::pass::Ended;
use super::sense::{decode, key, Sense};
use super::shown::which;
use super::verdict::{judge, status, Carried, Verdict};
use drivers::virtio::test::Random;
use kernel::{kt_assert, kt_eq, Error, Result};

/// The structure of SG_IO: each field at its place, and nothing else is changed.
fn headers(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let mut b = [0; header::SIZE];
    b.iter_mut().zip(1..).for_each(|(to, i)| *to = i);
    let h = header::Header::decode(&b);
    let word = |at: u8| u32::from_ne_bytes([at, at + 1, at + 2, at + 3]);
    let long = |at: u8| u64::from_ne_bytes(core::array::from_fn(|i| at + i as u8));
    kt_eq!(
        (h.interface, h.way, h.command_len, h.sense_room, h.pieces, h.len),
        (word(1) as i32, word(5) as i32, 9, 10, u16::from_ne_bytes([11, 12]), word(13))
    );
    kt_eq!((h.data, h.command, h.sense), (long(17), long(25), long(33)));
    kt_eq!((h.timeout, h.flags), (word(41), word(45)));
    let was = b;
    let end = header::End { status: 2, sense_len: 18, host: 7, left: 9, duration: 300 };
    end.encode(&mut b);
    kt_eq!(b.get(..64), was.get(..64));
    kt_eq!(b.get(84..), was.get(84..));
    let two = u16::to_ne_bytes;
    let four = u32::to_ne_bytes;
    kt_eq!(b.get(64..68), Some(&[2, 1, 0, 18][..]));
    kt_eq!(b.get(68..72), Some([two(7), two(8)].as_flattened()));
    kt_eq!(b.get(72..84), Some([four(9), four(300), four(1)].as_flattened()));
    header::End::default().encode(&mut b);
    kt_eq!(b.get(64..84), Some(&[0; 20][..]));
    Ok(())
}

/// How much sense data are given to programs.
fn sense_lengths(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let mut e = Ended::unanswered(0, 0, true);
    e.status = 2;
    for (kind, told, want) in [
        (0x70, 10, 18),
        (0xf1, 10, 18),
        (0x72, 0, 8),
        (0x73, 88, 96),
        (0x70, 89, 96),
        (0x70, 255, 96),
        (0x6f, 10, 0),
        (0x74, 10, 0),
        (0, 10, 0),
    ] {
        cdb::put(&mut e.sense, 0, 1, kind);
        cdb::put(&mut e.sense, 7, 1, told);
        kt_eq!((kind, e.sense_len()), (kind, want));
    }
    cdb::put(&mut e.sense, 0, 1, 0x70);
    e.status = 0;
    kt_eq!(e.sense_len(), 0);
    Ok(())
}

fn commands(_run: &mut kernel::ktest::Run<'_>) -> Result {
    kt_eq!(Cdb::inquiry(36).bytes(), [0x12, 0, 0, 0, 36, 0]);
    kt_eq!(Cdb::vpd(0xb0, 0x1234).bytes(), [0x12, 1, 0xb0, 0x12, 0x34, 0]);
    kt_eq!(Cdb::test_unit_ready().bytes(), [0; 6]);
    kt_eq!(Cdb::mode_sense(8, 192).bytes(), [0x1a, 8, 8, 0, 192, 0]);
    kt_eq!(Cdb::report_luns(4096).bytes(), [0xa0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0]);
    kt_eq!(Cdb::read_capacity_10().bytes(), [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    kt_eq!(
        Cdb::read_capacity_16().bytes(),
        [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0]
    );
    kt_eq!(
        Cdb::transfer(false, 0x0102_0304, 0x0506, false, false).bytes(),
        [0x28, 0, 1, 2, 3, 4, 0, 5, 6, 0]
    );
    kt_eq!(Cdb::transfer(true, 1, 2, true, false).bytes(), [0x2a, 8, 0, 0, 0, 1, 0, 0, 2, 0]);
    let long = [0x8a, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    kt_eq!(Cdb::transfer(true, 1 << 32, 0x1_0000, false, false).bytes(), long);
    kt_eq!(Cdb::transfer(false, 7, 0x1_0000, false, false).bytes().first(), Some(&0x88));
    kt_eq!(Cdb::transfer(false, 7, 1, false, true).bytes().first(), Some(&0x88));
    kt_eq!((Cdb::synchronize(false).bytes().len(), Cdb::synchronize(true).bytes().len()), (10, 16));
    kt_eq!(Cdb::unmap(24).bytes(), [0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0]);
    kt_eq!(
        Cdb::write_same(5, 6, true).bytes(),
        [0x93, 8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0]
    );
    let list = [0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0];
    kt_eq!(unmap_list(1 << 32, 9), list);
    Ok(())
}

const FIXED: [u8; 18] = [0xf0, 0, 3, 0, 0, 1, 2, 10, 0, 0, 0, 0, 0x11, 4, 0, 0, 0, 0];
const DESCRIBED: [u8; 24] =
    [0x72, 6, 0x29, 1, 0, 0, 0, 16, 2, 2, 0, 0, 0, 10, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2];

fn sense(_run: &mut kernel::ktest::Run<'_>) -> Result {
    kt_eq!(
        decode(&FIXED),
        Some(Sense { deferred: false, key: 3, code: (0x11, 4), block: Some(0x102) })
    );
    let mut b = FIXED;
    for (at, v) in [(0, 0x71), (7, 4)] {
        b.iter_mut().skip(at).take(1).for_each(|x| *x = v);
    }
    // Not valid, of an earlier command, and too short for its code.
    kt_eq!(decode(&b), Some(Sense { deferred: true, key: 3, code: (0, 0), block: None }));
    kt_eq!(decode(&FIXED[..3]), Some(Sense { deferred: false, key: 3, code: (0, 0), block: None }));
    let mut b = DESCRIBED;
    // The second descriptor names a block, as long as that is said to be valid, and as all of it is there.
    kt_eq!(
        decode(&b),
        Some(Sense { deferred: false, key: 6, code: (0x29, 1), block: Some(0x102) })
    );
    kt_eq!(decode(&b[..23]).and_then(|s| s.block), None);
    b.iter_mut().skip(14).take(1).for_each(|x| *x = 0);
    kt_eq!(decode(&b).and_then(|s| s.block), None);
    for bad in [&[][..], &[0x70], &[0x70, 0], &[0x6f, 0, 3, 0], &[0x7f; 18], &[0x72]] {
        kt_eq!(decode(bad), None);
    }
    Ok(())
}

fn verdicts(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let check = |key, asc, ascq| {
        judge(
            Carried::Ok,
            status::CHECK_CONDITION,
            Some(Sense { deferred: false, key, code: (asc, ascq), block: None }),
        )
    };
    kt_eq!(judge(Carried::Ok, status::GOOD, None), Verdict::Done);
    kt_eq!(judge(Carried::Ok, status::BUSY, None), Verdict::Later);
    kt_eq!(judge(Carried::Ok, status::TASK_SET_FULL, None), Verdict::Later);
    kt_eq!(judge(Carried::Ok, status::RESERVATION_CONFLICT, None), Verdict::Failed(Error::EBADE));
    kt_eq!(judge(Carried::Ok, 0xff, None), Verdict::Failed(Error::EIO));
    kt_eq!(judge(Carried::Busy, 0, None), Verdict::Later);
    kt_eq!(judge(Carried::Reset, 0, None), Verdict::Again);
    kt_eq!(judge(Carried::Nowhere, 0, None), Verdict::Failed(Error::EIO));
    kt_eq!(judge(Carried::Ok, status::CHECK_CONDITION, None), Verdict::Again);
    kt_eq!(check(key::RECOVERED, 0x17, 1), Verdict::Done);
    kt_eq!(check(key::UNIT_ATTENTION, 0x29, 0), Verdict::Again);
    kt_eq!(check(key::NOT_READY, 4, 1), Verdict::Later);
    kt_eq!(check(key::NOT_READY, 0x3a, 0), Verdict::Failed(Error::EIO));
    kt_eq!(check(key::MEDIUM_ERROR, 0x11, 0), Verdict::Failed(Error::ENODATA));
    kt_eq!(check(key::MEDIUM_ERROR, 0x0c, 0), Verdict::Again);
    kt_eq!(check(key::HARDWARE_ERROR, 0x44, 0), Verdict::Failed(Error::EREMOTEIO));
    kt_eq!(check(key::ILLEGAL_REQUEST, 0x20, 0), Verdict::Failed(Error::EREMOTEIO));
    kt_eq!(check(key::ILLEGAL_REQUEST, 0x55, 0), Verdict::Failed(Error::EIO));
    kt_eq!(check(key::DATA_PROTECT, 0x27, 7), Verdict::Failed(Error::ENOSPC));
    kt_eq!(check(key::DATA_PROTECT, 0x27, 0), Verdict::Failed(Error::EREMOTEIO));
    let old = Sense { deferred: true, key: key::MEDIUM_ERROR, code: (0x11, 0), block: None };
    kt_eq!(judge(Carried::Ok, status::CHECK_CONDITION, Some(old)), Verdict::Again);
    Ok(())
}

const INQUIRY: &[u8; 36] = b"\x00\x80\x05\x02\x1f\0\0\x02QEMU    QEMU \x07ARDDISK\0\0\x002.5+";

fn identities(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let i = inquiry::inquiry(INQUIRY).ok_or(Error::EIO)?;
    kt_eq!((i.qualifier, i.kind, i.removable, i.version), (0, 0, true, 5));
    kt_eq!((&i.vendor, &i.product, &i.revision), (b"QEMU    ", b"QEMU  ARDDISK   ", b"2.5+"));
    kt_eq!(
        inquiry::inquiry(&[0x7f, 0, 0]).map(|i| (i.qualifier, i.kind, i.vendor)),
        Some((3, 0x1f, *b"        "))
    );
    kt_eq!(inquiry::inquiry(&[0, 0]), None);
    kt_eq!(inquiry::vpd(&[0, 0, 0, 3, 0, 0xb0, 0xb2, 9], 0), Some(&[0, 0xb0, 0xb2][..]));
    kt_eq!(inquiry::vpd(&[0, 0, 0xff, 0xff, 1], 0), Some(&[1][..])); // cut to what came
    kt_eq!((inquiry::vpd(&[0, 0x80, 0, 0], 0), inquiry::vpd(&[0, 0, 0], 0)), (None, None));
    kt_assert!(inquiry::has_page(&[0, 0xb0], 0xb0) && !inquiry::has_page(&[0], 0xb0));
    // A text, a NAA, a NAA of the port, and one that ends behind the page.
    let page = [2, 0, 0, 1, b'x', 1, 3, 0, 2, 0x50, 0x11, 1, 0x13, 0, 3, 1, 2, 3, 1, 3, 0, 9, 1];
    kt_eq!(inquiry::identity(&page), Some((3, &[0x50, 0x11][..])));
    kt_eq!(inquiry::identity(&[]), None);
    let list = [
        0, 0, 0, 32, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0x41, 2, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0,
        0, 0, 0, 0xc1, 1, 0, 0, 0, 0, 0, 0,
    ];
    kt_assert!(inquiry::luns(&list).eq([7, 0x102]));
    kt_assert!(inquiry::luns(&list[..15]).eq([]) && inquiry::luns(&[0xff; 8]).eq([]));
    Ok(())
}

fn sizes(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let ten = |last: u32| {
        let [a, b, c, d] = last.to_be_bytes();
        inquiry::capacity_10(&[a, b, c, d, 0, 0, 2, 0])
    };
    let small = Capacity { blocks: 1000, block: 512, physical: 512, thin: (false, false) };
    kt_eq!((ten(999), ten(u32::MAX).map(|c| c.blocks)), (Some(small), Some(1 << 32)));
    kt_eq!(inquiry::capacity_10(&[0; 7]), None);
    let mut b = [0; 32];
    for (at, v) in [(7, 99), (10, 2), (13, 0x13), (14, 0xc0)] {
        b.iter_mut().skip(at).take(1).for_each(|x| *x = v);
    }
    kt_eq!(
        inquiry::capacity_16(&b),
        Some(Capacity { blocks: 100, block: 512, physical: 4096, thin: (true, true) })
    );
    kt_eq!(inquiry::capacity_16(&[0xff; 32]), None);
    kt_eq!(inquiry::capacity_16(&b[..11]), None);
    // Header, a page with subpages, the cache's page.
    let modes = [16, 0, 0x90, 0, 0x4a, 1, 0, 1, 0, 0x88, 2, 4, 0, 0, 0, 0, 0];
    let m = inquiry::modes(&modes).ok_or(Error::EIO)?;
    kt_eq!((m.protected, m.fua, m.write_cache), (true, true, Some(true)));
    kt_eq!(
        inquiry::modes(&[3, 0, 0, 0]).map(|m| (m.protected, m.write_cache)),
        Some((false, None))
    );
    kt_eq!(inquiry::modes(&[3, 0, 0, 255]).map(|m| m.write_cache), Some(None));
    kt_eq!(inquiry::modes(&[3, 0, 0]), None);
    let mut page = [0; 60];
    for (at, v) in [(6, 1), (19, 2), (23, 3), (39, 4)] {
        page.iter_mut().skip(at).take(1).for_each(|x| *x = v);
    }
    kt_eq!(inquiry::limits(&page), Limits { transfer: 256, unmap: 2, unmap_ranges: 3, same: 4 });
    kt_eq!(inquiry::limits(&page[..8]), Limits { transfer: 256, ..Limits::default() });
    kt_eq!(
        inquiry::provisioning(&[0, 0xc4]),
        Provisioning { unmap: true, same_16: true, zeroes: true }
    );
    kt_assert!(
        inquiry::is_solid(&[0, 1]) && !inquiry::is_solid(&[0x1c, 0x20]) && !inquiry::is_solid(&[0])
    );
    Ok(())
}

/// Any bytes: every decoder ends, and finds nothing behind their end.
fn random(_run: &mut kernel::ktest::Run<'_>) -> Result {
    let mut r = Random(0x5c51);
    let mut bytes = [0u8; 96];
    for turn in 0..20_000 {
        let n = r.below(97) as usize;
        bytes.iter_mut().for_each(|b| *b = if r.below(3) == 0 { 0 } else { r.below(256) as u8 });
        if let Some(first) = bytes.first_mut().filter(|_| turn % 2 == 0) {
            *first = 0x70 + r.below(4) as u8;
        }
        let b = bytes.get(..n).unwrap_or(&[]);
        kt_assert!(decode(b).is_none_or(|s| s.key < 16));
        kt_assert!(inquiry::inquiry(b).is_none_or(|i| i
            .vendor
            .iter()
            .chain(&i.product)
            .all(|c| (0x20..0x7f).contains(c))));
        kt_assert!(inquiry::luns(b).all(|l| l < 16384) && inquiry::luns(b).count() <= n / 8);
        kt_assert!(inquiry::identity(b).is_none_or(|(_, id)| id.len() <= n));
        kt_assert!(inquiry::capacity_16(b).is_none_or(|c| c.blocks > 0 && c.physical >= c.block));
        _ = (
            inquiry::modes(b),
            inquiry::capacity_10(b),
            inquiry::limits(b),
            inquiry::provisioning(b),
        );
        kt_assert!(inquiry::vpd(b, 0).is_none_or(|p| p.len() + 4 <= n));
    }
    Ok(())
}

kernel::ktest!(scsi_commands, commands);
kernel::ktest!(scsi_sense, sense);
kernel::ktest!(scsi_verdicts, verdicts);
kernel::ktest!(scsi_identities, identities);
kernel::ktest!(scsi_sizes, sizes);
kernel::ktest!(scsi_random_answers, random);
kernel::ktest!(scsi_sg_header, headers);
kernel::ktest!(scsi_sg_sense_lengths, sense_lengths);

/// What "- - -" and its like mean in a host's file "scan".
fn places(_run: &mut kernel::ktest::Run<'_>) -> Result {
    kt_eq!(which("- - -"), Ok((None, None)));
    kt_eq!(which("0 3 0x1f"), Ok((Some(3), Some(31))));
    kt_eq!(which(" -\t0\t010 "), Ok((Some(0), Some(8))));
    for text in [
        "", "-", "- -", "- - - -", "1 0 0", "0 0 x", "0 0 1x", "0 -1 0", "0 0 +1", "0 0 0x",
        "0 08 0",
    ] {
        kt_eq!(which(text), Err(Error::EINVAL));
    }
    Ok(())
}

kernel::ktest!(scsi_places, places);
