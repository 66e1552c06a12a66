// SPDX-License-Identifier: MIT
//! In-kernel tests of the platform's bus: what the machine has, under the names that its tables give.

use super::{Known, AMBA, PLATFORM};
use crate::virtio::test::no_growth;
use kernel::device::{Bus, Device};
use kernel::ktest::Run;
use kernel::print::Line;
use kernel::show::Dir;
use kernel::{kt_assert, kt_eq, Error, Result};

/// Calls `f` with each device of both buses.
fn for_each(mut f: impl FnMut(&Bus<Known>, &Device<Known>) -> Result) -> Result {
    for bus in [PLATFORM.get(), AMBA.get()].into_iter().flatten() {
        let mut at = 0;
        while let Some(d) = bus.next(&mut at) {
            f(bus, &d)?;
        }
    }
    Ok(())
}

fn line(args: core::fmt::Arguments<'_>) -> Line {
    let mut text = Line::new();
    let _ = core::fmt::Write::write_fmt(&mut text, args);
    text
}

/// Each device is found by its name, whose beginning is its address, and its events say what it is.
fn names(run: &mut Run<'_>) -> Result {
    let mut n = 0;
    for_each(|bus, d| {
        let known = d.facts();
        let name = line(format_args!("{known}"));
        kt_assert!(bus.find(name.as_str()).is_some_and(|found| found.is(d)));
        if let Ok(t) = known.table() {
            if let (None, Some((base, _))) = (t.hid(), t.range(0)) {
                kt_assert!(name.as_str().starts_with(line(format_args!("{base:x}.")).as_str()));
            }
            // More than one range: each can be had by itself.
            kt_eq!(
                (0..)
                    .take_while(|i| t.range(*i).is_some())
                    .all(|i| t.range(i).is_some_and(|r| r.1 > 0)),
                true
            );
        }
        let mut text = [0; 1024];
        let len = d.dir().read(c"uevent", &mut text)?;
        let said =
            text.get(..len).and_then(|t| core::str::from_utf8(t).ok()).ok_or(Error::EINVAL)?;
        kt_eq!(said.lines().filter(|l| l.starts_with("MODALIAS=")).count(), 1);
        n += 1;
        Ok(())
    })?;
    if n == 0 {
        return run.skip(c"no platform devices");
    }
    Ok(())
}

kernel::ktest!(platform_names, names);

/// The clock's driver comes and goes hundreds of times, and leaves nothing behind.
fn clock_rounds(run: &mut Run<'_>) -> Result {
    const CLOCKS: [&core::ffi::CStr; 4] = [
        c"bus/platform/drivers/rtc_cmos",
        c"bus/amba/drivers/rtc-pl031",
        c"bus/platform/drivers/goldfish_rtc",
        c"bus/platform/drivers/loongson-rtc",
    ];
    let class = Dir::sys(c"class/rtc")?;
    if !class.has(c"rtc0") {
        return run.skip(c"no battery clock");
    }
    for path in CLOCKS {
        let driver = Dir::sys(path)?;
        for_each(|_, d| {
            let name = line(format_args!("{}", d.facts()));
            if !driver.holds(format_args!("{}", name.as_str())) {
                return Ok(());
            }
            no_growth(|| {
                driver.write(c"unbind", name.as_str())?;
                kt_assert!(
                    !class.has(c"rtc0")
                        && driver.write(c"unbind", name.as_str()) == Err(Error::ENODEV)
                );
                driver.write(c"bind", name.as_str())?;
                kt_assert!(class.has(c"rtc0") && !class.has(c"rtc1"));
                Ok(())
            })
        })?;
    }
    Ok(())
}

kernel::ktest!(platform_clock_rounds, clock_rounds);
