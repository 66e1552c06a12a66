// SPDX-License-Identifier: MIT
//! Battery clocks: /dev/rtc0 (rtc(4)), /sys/class/rtc/rtc0, /proc/driver/rtc, and the wall clock at boot.
//!
//! A clock's driver reads and sets the date and, where it has an interrupt, tells of alarms, updates and ticks by `Rtc::event`. Files
//! read what came: a word whose low byte says which kinds, the rest how many. There is one clock: the first that registers.
//!
//! Clocks of the PC's kind have an interrupt for each of the three. The others have one alarm, by date: it serves as the next alarm and
//! as the next full second, whichever comes first, and ticks come from a timer.
//!
//! Locks: `setup` (sleeps; who changes the device) > `state` (interrupts off; also the handler's).

pub mod calendar;
pub mod cmos;
pub mod goldfish;
pub mod ls7a;
pub mod pl031;

use calendar::{Time, DAY};
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::alloc::{KBox, KERNEL};
use kernel::chrdev::{self, Access, Listeners, PollTable};
use kernel::show::{self, Dir};
use kernel::sync::{Mutex, SpinLockIrq};
use kernel::time::{HrTimer, Next};
use kernel::uapi::rtc as abi;
use kernel::user::{capable, Capability, Sink, UserPtr};
use kernel::wait::WaitQueue;
use kernel::{irq, pr_info, pr_warn, time, Error, Result};

const MAX_USER_HZ: u32 = 64;

/// A clock's driver. Nothing sleeps.
pub trait Clock: Sync + 'static {
    /// The driver's name.
    fn name(&self) -> &'static str;
    /// The date; `EINVAL`: it is nonsense (an empty battery).
    fn read(&self) -> Result<Time>;
    /// Sets a valid date; `ERANGE`: the clock cannot hold it.
    fn set(&self, t: &Time) -> Result;
    /// Which interrupts there are, and so which of what follows works.
    fn interrupts(&self) -> Interrupts {
        Interrupts::None
    }
    /// Whether the alarm can be set to `at` when it is `now`, both in seconds since 1970.
    fn reaches(&self, _at: i64, _now: i64) -> bool {
        true
    }
    /// An event when it is next that time of day (`Each`), `Rtc::alarm_came` at that date (`Alarm`); `None`: no more.
    fn set_alarm(&self, _at: Option<&Time>) {}
    /// An event each second (`Each`).
    fn set_update(&self, _on: bool) {}
    /// An event `hz` times a second, a power of two; 0: no more (`Each`).
    fn set_periodic(&self, _hz: u32) {}
    /// Further lines for /proc/driver/rtc.
    fn describe(&self, _out: &mut dyn fmt::Write) -> fmt::Result {
        Ok(())
    }
}

/// What interrupts a clock has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Interrupts {
    /// None: there are no alarms.
    None,
    /// One for an alarm at a date.
    Alarm,
    /// One each for an alarm at a time of day, for updates and for ticks.
    Each,
}

struct Setup {
    alarm: Time,
    hz: u32,
}

struct State {
    events: usize, // kinds in the low byte, how many above
    alarm_on: bool,
    update_on: bool,
    periodic_on: bool,
    alarm_at: i64,  // seconds since 1970
    update_at: i64, // the next full second (`Alarm`)
    tick_ns: u64,   // between ticks (`Alarm`)
}

/// A registered clock.
pub struct Rtc {
    clock: &'static dyn Clock,
    setup: Mutex<Setup>,
    state: SpinLockIrq<State>,
    queue: WaitQueue,
    listeners: Listeners,
    ticks: HrTimer<fn() -> Next>,
    open: AtomicBool,
    hctosys: bool,
}

static SYSTEM_CLOCK_SET: AtomicBool = AtomicBool::new(false);
static TAKEN: AtomicBool = AtomicBool::new(false);
static RTC0: SpinLockIrq<Option<&'static Rtc>> = SpinLockIrq::new(None);

/// Has `clock` called for its interrupt. False: it has none, or not to itself, and so no alarms.
pub fn serve<T: irq::Handler>(line: Option<irq::Line>, clock: &'static T) -> bool {
    let Some(line) = line else { return false };
    match irq::request(line, clock, c"rtc0", false) {
        Ok(registered) => {
            registered.keep();
            true
        }
        Err(e) => {
            pr_warn!("rtc: interrupt {} cannot be had: {}\n", line.number(), e.code());
            false
        }
    }
}

/// Sets the wall clock from a battery clock, the first time that one is there to ask.
pub fn set_system_clock(c: &dyn Clock) {
    match c.read() {
        Ok(t) => {
            if !SYSTEM_CLOCK_SET.swap(true, Ordering::Relaxed) {
                // Somewhere within that second: half of it is the best guess.
                let ns = (t.to_secs() as u64).saturating_mul(time::SECOND).saturating_add(time::SECOND / 2);
                if time::set_real_ns(ns).is_err() {
                    pr_warn!("rtc: {} tells a time that the clock is not set to\n", c.name());
                }
            }
        }
        Err(e) => pr_warn!("rtc: {} does not tell the time: {}\n", c.name(), e.code()),
    }
}

/// Makes a clock rtc0. `EBUSY`: there is one.
pub fn register(clock: &'static dyn Clock) -> Result<&'static Rtc> {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(Error::EBUSY);
    }
    let rtc = Rtc::new(clock)?;
    *RTC0.lock() = Some(rtc);
    let node = KBox::new(chrdev::Registration::new(c"rtc0", 0o600, rtc)?, KERNEL)?.leak();
    publish(rtc, node)?;
    pr_info!("rtc: {} is rtc0\n", clock.name());
    Ok(rtc)
}

/// What /sys shows of it.
fn publish(rtc: &'static Rtc, node: &'static chrdev::Registration) -> Result {
    let dir = Dir::sys(c"devices/platform/rtc/rtc/rtc0")?;
    dir.attr(c"name", rtc, |r, out| writeln!(out, "{0} {0}", r.clock.name()), None)?;
    dir.attr(c"date", rtc, |r, out| r.now_or(out, |t, out| writeln!(out, "{:04}-{:02}-{:02}", t.year, t.month, t.day)), None)?;
    dir.attr(c"time", rtc, |r, out| r.now_or(out, |t, out| writeln!(out, "{:02}:{:02}:{:02}", t.hour, t.min, t.sec)), None)?;
    dir.attr(c"since_epoch", rtc, |r, out| r.now_or(out, |t, out| writeln!(out, "{}", t.to_secs())), None)?;
    dir.attr(c"hctosys", rtc, |r, out| writeln!(out, "{}", u8::from(r.hctosys)), None)?;
    dir.attr(c"max_user_freq", rtc, |_, out| writeln!(out, "{MAX_USER_HZ}"), None)?;
    dir.attr(c"dev", node, |n, out| writeln!(out, "{}:{}", n.major(), n.minor()), None)?;
    dir.uevent(node, |n, out| writeln!(out, "MAJOR={}\nMINOR={}\nDEVNAME=rtc0", n.major(), n.minor()))?;
    if rtc.has_alarm() {
        dir.attr(c"wakealarm", rtc, Rtc::show_wakealarm, Some(Rtc::store_wakealarm))?;
    }
    Dir::sys(c"class/rtc")?.link(c"rtc0", c"../../devices/platform/rtc/rtc/rtc0")?;
    show::proc_driver(c"rtc", rtc, Rtc::show_proc)
}

impl Rtc {
    fn new(clock: &'static dyn Clock) -> Result<&'static Rtc> {
        let setup = Mutex::new(c"rtc setup", Setup { alarm: Time::EPOCH, hz: 1024 })?;
        let off = State { events: 0, alarm_on: false, update_on: false, periodic_on: false, alarm_at: 0, update_at: 0, tick_ns: 0 };
        let state = SpinLockIrq::new(off);
        let hctosys = SYSTEM_CLOCK_SET.load(Ordering::Relaxed);
        let ticks = HrTimer::new(tick as fn() -> Next)?;
        let rtc = Rtc { clock, setup, state, queue: WaitQueue::new()?, listeners: Listeners::new(), ticks, open: AtomicBool::new(false), hctosys };
        Ok(KBox::new(rtc, KERNEL)?.leak())
    }

    fn has_alarm(&self) -> bool {
        self.clock.interrupts() != Interrupts::None
    }

    /// (`Alarm`) Sets the clock's alarm to what comes next. What has come already: its kinds.
    fn set_next(&self, s: &mut State) -> u32 {
        let mut kinds = 0;
        for _ in 0..4 {
            // A clock that cannot be read now is asked again when its alarm is set anew.
            let Ok(now) = self.clock.read() else { return kinds };
            let now = now.to_secs();
            if s.alarm_on && s.alarm_at <= now {
                s.alarm_on = false;
                kinds |= abi::AF;
            }
            if s.update_on && s.update_at <= now {
                s.update_at = now + 1;
                kinds |= abi::UF;
            }
            let next = match (s.alarm_on, s.update_on) {
                (true, true) => s.alarm_at.min(s.update_at),
                (true, false) => s.alarm_at,
                (false, true) => s.update_at,
                (false, false) => {
                    self.clock.set_alarm(None);
                    return kinds;
                }
            };
            self.clock.set_alarm(Some(&Time::from_secs(next)));
            // It may have passed while we set it: a comparison that was missed never comes.
            if self.clock.read().is_ok_and(|t| t.to_secs() < next) {
                return kinds;
            }
        }
        kinds // a clock that jumps whenever it is read
    }

    /// (`Alarm`) The clock's alarm came, or something changed that it depends on. Any context.
    pub fn alarm_came(&self) {
        let kinds = {
            let mut s = self.state.lock();
            let kinds = self.set_next(&mut s);
            if kinds != 0 {
                s.events = s.events.wrapping_add(0x100) | (kinds | abi::IRQF) as usize;
            }
            kinds
        };
        if kinds != 0 {
            self.tell();
        }
    }

    fn tell(&self) {
        self.queue.wake_all();
        self.listeners.tell();
    }

    /// Something happened: PF, AF, UF. Any context.
    pub fn event(&self, kinds: u32) {
        {
            let mut s = self.state.lock();
            s.events = s.events.wrapping_add(0x100) | (kinds | abi::IRQF) as usize;
            if kinds & abi::AF != 0 {
                s.alarm_on = false;
            }
        }
        self.tell();
    }

    /// Sets the alarm, or takes it back. One that is past comes at once.
    fn set_alarm(&self, at: Time, on: bool) -> Result {
        if !self.has_alarm() || !at.is_valid() {
            return Err(Error::EINVAL);
        }
        let now = self.clock.read()?.to_secs();
        if on && !self.clock.reaches(at.to_secs(), now) {
            return Err(Error::EINVAL);
        }
        let mut setup = self.setup.lock();
        setup.alarm = at;
        if self.clock.interrupts() == Interrupts::Alarm {
            {
                let mut s = self.state.lock();
                s.alarm_at = at.to_secs();
                s.alarm_on = on;
            }
            self.alarm_came();
            return Ok(());
        }
        self.clock.set_alarm(None);
        self.state.lock().alarm_on = on;
        if on && at.to_secs() <= now {
            self.event(abi::AF);
        } else if on {
            self.clock.set_alarm(Some(&at));
            // It may have passed while we set it: a comparison that was missed comes tomorrow.
            if self.clock.read()?.to_secs() > at.to_secs() && self.state.lock().alarm_on {
                self.clock.set_alarm(None);
                self.event(abi::AF);
            }
        }
        Ok(())
    }

    fn switch_alarm(&self, on: bool) -> Result {
        let at = self.setup.lock().alarm;
        if self.state.lock().alarm_on == on && self.has_alarm() {
            return Ok(());
        }
        self.set_alarm(at, on)
    }

    fn set_update(&self, on: bool) -> Result {
        let how = self.clock.interrupts();
        if how == Interrupts::None {
            return Err(Error::EINVAL);
        }
        let _setup = self.setup.lock();
        if how == Interrupts::Each {
            self.state.lock().update_on = on;
            self.clock.set_update(on);
            return Ok(());
        }
        let next = if on { self.clock.read()?.to_secs() + 1 } else { 0 };
        {
            let mut s = self.state.lock();
            s.update_on = on;
            s.update_at = next;
        }
        self.alarm_came();
        Ok(())
    }

    /// Ticks `hz` times a second from now on; 0: no more. (setup)
    fn start_ticks(&self, hz: u32) {
        if self.clock.interrupts() == Interrupts::Each {
            return self.clock.set_periodic(hz);
        }
        let ns = time::SECOND.checked_div(hz.into()).unwrap_or(0);
        self.state.lock().tick_ns = ns;
        if ns == 0 {
            self.ticks.cancel();
        } else {
            self.ticks.start_after(ns);
        }
    }

    fn set_periodic(&self, on: bool) -> Result {
        if !self.has_alarm() {
            return Err(Error::EINVAL);
        }
        let setup = self.setup.lock();
        if on && setup.hz > MAX_USER_HZ && !capable(Capability::SysResource) {
            return Err(Error::EACCES);
        }
        self.state.lock().periodic_on = on;
        self.start_ticks(if on { setup.hz } else { 0 });
        Ok(())
    }

    fn set_rate(&self, hz: usize) -> Result {
        if hz > MAX_USER_HZ as usize && !capable(Capability::SysResource) {
            return Err(Error::EACCES);
        }
        if !(2..=8192).contains(&hz) || !hz.is_power_of_two() {
            return Err(Error::EINVAL);
        }
        let mut setup = self.setup.lock();
        setup.hz = hz as u32;
        if self.state.lock().periodic_on {
            self.start_ticks(setup.hz);
        }
        Ok(())
    }

    fn set_time(&self, t: &Time) -> Result {
        if !capable(Capability::SysTime) {
            return Err(Error::EACCES);
        }
        if !t.is_valid() {
            return Err(Error::EINVAL);
        }
        let _setup = self.setup.lock();
        self.clock.set(t)?;
        if self.clock.interrupts() == Interrupts::Alarm {
            self.state.lock().update_at = t.to_secs() + 1;
            self.alarm_came();
        }
        Ok(())
    }

    /// RTC_ALM_SET: a time of day, the next one that comes; its interrupt stays off until RTC_AIE_ON.
    fn set_time_of_day(&self, t: &Time) -> Result {
        let now = self.clock.read()?;
        let at = Time { hour: t.hour, min: t.min, sec: t.sec, ..now };
        if !at.is_valid() {
            return Err(Error::EINVAL);
        }
        let tomorrow = if at.to_secs() <= now.to_secs() { DAY } else { 0 };
        self.set_alarm(Time::from_secs(at.to_secs() + tomorrow), false)
    }

    fn features(&self) -> u64 {
        if self.has_alarm() { 1 << abi::FEATURE_ALARM | 1 << abi::FEATURE_UPDATE_INTERRUPT } else { 0 }
    }

    fn now_or(&self, out: &mut dyn fmt::Write, f: fn(Time, &mut dyn fmt::Write) -> fmt::Result) -> fmt::Result {
        match self.clock.read() {
            Ok(t) => f(t, out),
            Err(_) => Err(fmt::Error),
        }
    }

    fn show_wakealarm(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let setup = self.setup.lock();
        if self.state.lock().alarm_on { writeln!(out, "{}", setup.alarm.to_secs()) } else { Ok(()) }
    }

    /// Seconds since 1970, or +SECONDS from now, or +=SECONDS from the alarm that is set; what is past takes the alarm back.
    fn store_wakealarm(&self, text: &str) -> Result {
        let set = self.state.lock().alarm_on;
        let alarm = self.setup.lock().alarm.to_secs();
        let now = self.clock.read()?.to_secs();
        let (base, digits) = match (text.strip_prefix("+="), text.strip_prefix('+')) {
            (Some(d), _) if set => (alarm, d),
            (Some(_), _) => return Err(Error::EINVAL),
            (None, Some(d)) => (now, d),
            _ => (0, text),
        };
        let push = text.starts_with("+=");
        let at = digits.parse::<i64>().ok().and_then(|n| base.checked_add(n)).ok_or(Error::EINVAL)?;
        if at <= now {
            return self.set_alarm(Time::EPOCH, false);
        }
        if set && !push {
            return Err(Error::EBUSY);
        }
        self.set_alarm(Time::from_secs(at), true)
    }

    fn show_proc(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let yes = |b: bool| if b { "yes" } else { "no" };
        if let Ok(t) = self.clock.read() {
            writeln!(out, "rtc_time\t: {:02}:{:02}:{:02}\nrtc_date\t: {:04}-{:02}-{:02}", t.hour, t.min, t.sec, t.year, t.month, t.day)?;
        }
        let (t, hz) = {
            let s = self.setup.lock();
            (s.alarm, s.hz)
        };
        let (alarm, update, periodic) = {
            let s = self.state.lock();
            (s.alarm_on, s.update_on, s.periodic_on)
        };
        writeln!(out, "alrm_time\t: {:02}:{:02}:{:02}\nalrm_date\t: {:04}-{:02}-{:02}", t.hour, t.min, t.sec, t.year, t.month, t.day)?;
        writeln!(out, "alarm_IRQ\t: {}\nalrm_pending\t: no\nupdate IRQ enabled\t: {}", yes(alarm), yes(update))?;
        writeln!(out, "periodic IRQ enabled\t: {}\nperiodic IRQ frequency\t: {hz}", yes(periodic))?;
        writeln!(out, "max user IRQ frequency\t: {MAX_USER_HZ}\n24hr\t\t: yes")?;
        self.clock.describe(out)
    }

    fn param_get(&self, p: UserPtr) -> Result {
        // struct rtc_param: param, value, index, padding.
        let mut raw = [0; 24];
        p.read(&mut raw)?;
        let (param, rest) = raw.split_at_mut(8);
        let (value, index) = rest.split_at_mut(8);
        let param = <[u8; 8]>::try_from(&*param).map_or(u64::MAX, u64::from_ne_bytes);
        if param != abi::PARAM_FEATURES || index.iter().take(4).any(|b| *b != 0) {
            return Err(Error::EINVAL);
        }
        value.copy_from_slice(&self.features().to_ne_bytes());
        p.write(&raw)
    }
}

/// (`Alarm`) A tick of the timer.
fn tick() -> Next {
    let Some(rtc) = *RTC0.lock() else { return Next::Stop };
    let ns = rtc.state.lock().tick_ns;
    if ns == 0 {
        return Next::Stop;
    }
    rtc.event(abi::PF);
    Next::Again(ns)
}

fn get_time(p: UserPtr) -> Result<Time> {
    let mut raw = [0; 36];
    p.read(&mut raw)?;
    Ok(Time::decode(&raw))
}

impl chrdev::Device for Rtc {
    type File = ();
    const LISTENS: bool = true;

    fn listeners(&'static self) -> Option<&'static Listeners> {
        Some(&self.listeners)
    }

    /// One at a time: who reads the events has them all.
    fn open(&'static self, _how: Access) -> Result {
        if self.open.swap(true, Ordering::Acquire) {
            return Err(Error::EBUSY);
        }
        self.state.lock().events = 0;
        Ok(())
    }

    fn release(&'static self, _file: ()) {
        // The alarm stays; what comes again and again goes.
        let _ = self.set_update(false);
        let _ = self.set_periodic(false);
        self.open.store(false, Ordering::Release);
    }

    fn read(&'static self, _file: &(), to: &mut Sink<'_>, how: Access) -> Result<usize> {
        let room = to.room();
        if room != size_of::<u32>() && room < size_of::<usize>() {
            return Err(Error::EINVAL);
        }
        let mut events = 0;
        let mut take = || {
            events = core::mem::take(&mut self.state.lock().events);
            events != 0
        };
        if how.nonblock() {
            if !take() {
                return Err(Error::EAGAIN);
            }
        } else {
            self.queue.wait_interruptible(take)?;
        }
        if room < size_of::<usize>() { to.write(&(events as u32).to_ne_bytes()) } else { to.write(&events.to_ne_bytes()) }
    }

    fn poll(&'static self, _file: &(), table: &PollTable<'_>) -> u32 {
        table.watch(&self.queue);
        if self.state.lock().events != 0 { chrdev::POLLIN } else { 0 }
    }

    fn ioctl(&'static self, _file: &(), cmd: u32, arg: usize) -> Result<u32> {
        let p = UserPtr::new(arg);
        match cmd {
            abi::RD_TIME => p.write(&self.clock.read()?.encode())?,
            abi::SET_TIME => self.set_time(&get_time(p)?)?,
            abi::ALM_SET => self.set_time_of_day(&get_time(p)?)?,
            abi::ALM_READ if self.has_alarm() => {
                let at = self.setup.lock().alarm;
                p.write(&at.encode())?;
            }
            abi::WKALM_RD if self.has_alarm() => {
                // struct rtc_wkalrm: enabled, pending, two bytes of padding, the time.
                let mut raw = [0; 40];
                let at = self.setup.lock().alarm;
                let (head, time) = raw.split_at_mut(4);
                time.copy_from_slice(&at.encode());
                if let Some(enabled) = head.first_mut() {
                    *enabled = u8::from(self.state.lock().alarm_on);
                }
                p.write(&raw)?;
            }
            abi::WKALM_SET => {
                let mut raw = [0; 40];
                p.read(&mut raw)?;
                let on = raw.first().is_some_and(|b| *b != 0);
                let time = raw.last_chunk().ok_or(Error::EINVAL)?;
                self.set_alarm(Time::decode(time), on)?;
            }
            abi::ALM_READ | abi::WKALM_RD => return Err(Error::EINVAL),
            abi::AIE_ON | abi::AIE_OFF => self.switch_alarm(cmd == abi::AIE_ON)?,
            abi::UIE_ON | abi::UIE_OFF => self.set_update(cmd == abi::UIE_ON)?,
            abi::PIE_ON | abi::PIE_OFF => self.set_periodic(cmd == abi::PIE_ON)?,
            abi::IRQP_READ => {
                let hz = self.setup.lock().hz as usize;
                p.write(&hz.to_ne_bytes())?;
            }
            abi::IRQP_SET => self.set_rate(arg)?,
            abi::PARAM_GET => self.param_get(p)?,
            _ => return Err(Error::ENOTTY),
        }
        Ok(0)
    }
}
