// SPDX-License-Identifier: MIT
//! That the debug build's coverage (sched/kcov.c) knows Rust: a traced task finds the branches and comparisons of a function of ours.

use crate::bindings;
use crate::error::Result;
use crate::ktest::Run;
use core::hint::black_box;
use core::ptr;

const WORDS: usize = 64;

#[inline(never)]
fn branches(n: u32) -> u32 {
    if n == 0x00c0_ffee {
        black_box(1)
    } else {
        black_box(2)
    }
}

/// What a task that runs `branches` leaves in its area.
fn trace(mode: bindings::kcov_mode, area: &mut [u64; WORDS]) {
    // SAFETY: the area outlives the tracing, which ends here; nothing else traces the task that runs the tests.
    unsafe {
        bindings::kcov_start(mode, area.as_mut_ptr(), WORDS as u64, ptr::null_mut());
        black_box(branches(black_box(40)));
        bindings::kcov_stop();
    }
    black_box(area);
}

fn coverage(_run: &mut Run<'_>) -> Result {
    let mut area = [0; WORDS];

    trace(bindings::kcov_mode_KCOV_PCS, &mut area);
    let [count, first, ..] = area;
    crate::kt_assert!(count > 0 && first != 0);
    area = [0; WORDS];
    trace(bindings::kcov_mode_KCOV_COMPARISONS, &mut area);
    crate::kt_assert!(area.windows(2).any(|w| w == [0x00c0_ffee, 40] || w == [40, 0x00c0_ffee]));
    Ok(())
}

crate::ktest!(coverage_knows_rust, coverage);
