// SPDX-License-Identifier: MIT
//! A clock gets a number, with its file in /dev and all that /sys and /proc show of it, and leaves it.

use super::{Clock, Rtc, Running, State, MAX_USER_HZ, OFF, SETUP};
use crate::platform::Known;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::chrdev;
use kernel::device::{Bound, Device};
use kernel::show::{self, Dir, Event, ProcFile};
use kernel::{irq, pr_info, pr_warn, Result};

/// A clock with a number, until its driver leaves it.
struct Clocked {
    rtc: &'static Rtc,
    irq: Option<irq::Registration>,
    node: Option<chrdev::Registration>,
    above: Option<Dir>,
    dir: Option<Dir>,
    proc: Option<ProcFile>,
}

/// Makes the device's clock an rtcN.
pub fn bind(
    driver: &'static str,
    device: &Device<Known>,
    clock: KBox<dyn Clock>,
    line: Option<irq::Line>,
) -> Result<KBox<dyn Bound>> {
    let run = Arc::new(Running {
        clock,
        driver,
        device: device.clone(),
        served: AtomicBool::new(false),
    })?;
    let rtc = Rtc::take()?;
    *rtc.setup.lock() = SETUP;
    let none = rtc.running.lock().replace(run.clone());
    drop(none);
    // From here on what fails is undone by its drop.
    let mut c = Clocked { rtc, irq: None, node: None, above: None, dir: None, proc: None };
    if let Some(line) = line {
        match irq::request(line, rtc, rtc.cname(), false) {
            Ok(irq) => {
                c.irq = Some(irq);
                run.served.store(true, Ordering::Relaxed);
            }
            Err(e) => pr_warn!("rtc: interrupt {} cannot be had: {}\n", line.number(), e.code()),
        }
    }
    c.publish(&run)?;
    let c = KBox::new(c, KERNEL)?;
    pr_info!("rtc: {} is rtc{}\n", driver, rtc.number);
    Ok(c)
}

/// The files of a clock itself.
fn show_clock(dir: &Dir, rtc: &'static Rtc) -> Result {
    dir.attr(c"name", rtc, Rtc::show_name, None)?;
    dir.attr(
        c"date",
        rtc,
        |r, out| r.now_or(out, |t, out| writeln!(out, "{:04}-{:02}-{:02}", t.year, t.month, t.day)),
        None,
    )?;
    dir.attr(
        c"time",
        rtc,
        |r, out| r.now_or(out, |t, out| writeln!(out, "{:02}:{:02}:{:02}", t.hour, t.min, t.sec)),
        None,
    )?;
    dir.attr(
        c"since_epoch",
        rtc,
        |r, out| r.now_or(out, |t, out| writeln!(out, "{}", t.to_secs())),
        None,
    )?;
    dir.attr(c"hctosys", rtc, |r, out| writeln!(out, "{}", u8::from(r.set_the_system())), None)?;
    dir.attr(c"max_user_freq", rtc, |_, out| writeln!(out, "{MAX_USER_HZ}"), None)
}

impl Clocked {
    /// What /dev, /sys and /proc show of it.
    fn publish(&mut self, run: &Running) -> Result {
        let rtc = self.rtc;
        let node = chrdev::Registration::new(rtc.cname(), 0o600, rtc)?;
        let of = run.device.dir();
        let above = of.dir(format_args!("rtc"))?;
        self.above = Some(above.clone());
        let dir = above.dir(format_args!("rtc{}", rtc.number))?;
        self.dir = Some(dir.clone());
        show_clock(&dir, rtc)?;
        // Its numbers alone: who reads these files does not keep it.
        let numbers = Arc::new((node.major(), node.minor(), rtc.number))?;
        self.node = Some(node);
        dir.attr(
            c"dev",
            numbers.clone(),
            |(major, minor, _), out| writeln!(out, "{major}:{minor}"),
            None,
        )?;
        dir.uevent(numbers, |(major, minor, n), out| {
            writeln!(out, "MAJOR={major}\nMINOR={minor}\nDEVNAME=rtc{n}")
        })?;
        if run.has_alarm() {
            dir.attr(c"wakealarm", rtc, Rtc::show_wakealarm, Some(Rtc::store_wakealarm))?;
        }
        let class = Dir::sys(c"class/rtc")?;
        dir.link_to(format_args!("subsystem"), &class)?;
        dir.link_to(format_args!("device"), &of)?;
        class.link_back(&dir)?;
        if rtc.is_first() {
            self.proc = Some(show::proc_driver(c"rtc", rtc.proc_text()?)?);
        }
        dir.tell(Event::Add);
        Ok(())
    }

    /// Takes the clock from its number. Nothing, if that was done.
    fn leave(&mut self) {
        let rtc = self.rtc;
        self.proc = None;
        if let Some(dir) = self.dir.take() {
            if let Ok(class) = Dir::sys(c"class/rtc") {
                let _ = class.unlink(format_args!("rtc{}", rtc.number));
            }
            dir.tell(Event::Remove);
            dir.remove();
        }
        if let Some(above) = self.above.take() {
            above.remove();
        }
        self.node = None;
        rtc.quieten();
        self.irq = None; // waits for the handler
        let run = {
            let _setup = rtc.setup.lock(); // waits for who uses the clock
            rtc.running.lock().take()
        };
        if run.is_some() {
            let mut s = rtc.state.lock();
            *s = State { open: s.open, ..OFF };
        }
        drop(run);
        rtc.tell();
    }
}

impl Bound for Clocked {
    fn remove(&mut self, _gone: bool) {
        self.leave();
    }
}

impl Drop for Clocked {
    fn drop(&mut self) {
        self.leave();
    }
}
