// SPDX-License-Identifier: MIT
//! What CD drives answer, each cut at every length.

use super::{block, can, capabilities, event, last_session, msf, size, track, tracks, Event};
use kernel::{kt_eq, Result};

fn answers(_run: &mut kernel::ktest::Run<'_>) -> Result {
    // QEMU's: a DVD drive with a tray that it moves and locks.
    let mut modes = [0; 28];
    modes
        .iter_mut()
        .zip([27, 0, 0, 0, 0x2a, 20, 0x3b, 0, 0x7f, 0xff, 0x2d])
        .for_each(|(to, b)| *to = b);
    kt_eq!(capabilities(&modes), 0x9bef);
    kt_eq!(capabilities(&[]), 0xbe7);
    kt_eq!(capabilities(modes.get(..4).unwrap_or(&[])), 0xbe7);
    // No page, but one that a device put behind more descriptors than it sent.
    kt_eq!(capabilities(&[27, 0, 0, 255, 0x2a, 20]), 0xbe7);
    if let Some(b) = modes.get_mut(7) {
        *b = 0x33;
    }
    kt_eq!(capabilities(&modes) & (can::CD_R | can::CD_RW | can::DVD_R | can::DVD_RAM), 0x3_6000);
    let told = [0, 6, 4, 0x5e, 2, 2, 0, 0];
    kt_eq!(event(&told), Some(Event { changed: true, open: false, present: true }));
    for n in 0..6 {
        kt_eq!(event(told.get(..n).unwrap_or(&[])), None);
    }
    kt_eq!(event(&[0, 6, 0x84, 0x5e, 2, 2]), None);
    kt_eq!(event(&[0, 2, 4, 0x5e, 2, 2]), None);
    kt_eq!(
        event(&[0, 6, 4, 0x5e, 0, 1]),
        Some(Event { changed: false, open: true, present: false })
    );
    kt_eq!(size(&[0, 0, 2, 87, 0, 0, 8, 0], 0), Some((2400, 2048)));
    kt_eq!(size(&[0, 0, 2, 87, 0, 0, 8, 0], 700), Some((2800, 2048)));
    kt_eq!(size(&[0, 0, 2, 87, 0, 0, 2, 0], 0), Some((600, 512)));
    kt_eq!(size(&[255, 255, 255, 255, 0, 0, 9, 0x30], 0), Some((1 << 34, 2048)));
    kt_eq!(size(&[0, 0, 2, 87, 0, 0, 16, 0], 0), Some((0, 2048)));
    kt_eq!(size(&[0, 0, 2, 87, 0, 0, 8], 0), None);
    Ok(())
}

fn places(_run: &mut kernel::ktest::Run<'_>) -> Result {
    kt_eq!((block((0, 2, 0)), block((0, 10, 0)), block((0, 0, 0))), (0, 600, -150));
    kt_eq!(block((255, 255, 255)), 1_166_730);
    kt_eq!(
        (msf(0), msf(600), msf(-150), msf(i32::MIN)),
        ((0, 2, 0), (0, 10, 0), (0, 0, 0), (0, 0, 0))
    );
    let toc = [0, 10, 1, 1, 0, 0x14, 170, 0, 0, 0, 10, 0];
    kt_eq!(tracks(&toc), Some((1, 1)));
    kt_eq!(track(&toc).map(|t| (t.adr, t.control, t.at)), Some((1, 4, (0, 10, 0))));
    for n in 0..12 {
        kt_eq!(track(toc.get(..n).unwrap_or(&[])), None);
    }
    kt_eq!(last_session(&[0, 10, 1, 2, 0, 0x14, 2, 0, 0, 0, 3, 4]), 772);
    kt_eq!(last_session(&[0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 3, 4]), 0);
    kt_eq!(last_session(&[0, 9, 1, 2, 0, 0x14, 2, 0, 0, 0, 3, 4]), 0);
    kt_eq!(last_session(&[0, 10, 1, 2, 0, 0x14, 2, 0, 0, 0, 3]), 0);
    Ok(())
}

kernel::ktest!(scsi_optical_answers, answers);
kernel::ktest!(scsi_optical_places, places);
