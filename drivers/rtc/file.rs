// SPDX-License-Identifier: MIT
//! /dev/rtcN, as rtc(4) has it.

use super::calendar::Time;
use super::Rtc;
use kernel::chrdev::{self, Access, Listeners, PollTable};
use kernel::uapi::rtc as abi;
use kernel::user::{Sink, UserPtr};
use kernel::{Error, Result};

fn features(has_alarm: bool) -> u64 {
    if has_alarm {
        1 << abi::FEATURE_ALARM | 1 << abi::FEATURE_UPDATE_INTERRUPT
    } else {
        0
    }
}

impl Rtc {
    fn param_get(&self, p: UserPtr) -> Result {
        // struct rtc_param: param, value, index, padding.
        let mut raw = [0; 24];
        p.read(&mut raw)?;
        let (param, rest) = raw.split_at_mut(8);
        let (value, index) = rest.split_at_mut(8);
        let has_alarm = self.clock()?.run.has_alarm();
        let param = <[u8; 8]>::try_from(&*param).map_or(u64::MAX, u64::from_ne_bytes);
        if param != abi::PARAM_FEATURES || index.iter().take(4).any(|b| *b != 0) {
            return Err(Error::EINVAL);
        }
        value.copy_from_slice(&features(has_alarm).to_ne_bytes());
        p.write(&raw)
    }
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
        let mut s = self.state.lock();
        if !s.live {
            return Err(Error::ENODEV);
        }
        if s.open {
            return Err(Error::EBUSY);
        }
        (s.open, s.events) = (true, 0);
        Ok(())
    }

    fn release(&'static self, _file: ()) {
        // The alarm stays; what comes again and again goes.
        let _ = self.set_update(false);
        let _ = self.set_periodic(false);
        self.state.lock().open = false;
    }

    fn read(&'static self, _file: &(), to: &mut Sink<'_>, how: Access) -> Result<usize> {
        let room = to.room();
        if room != size_of::<u32>() && room < size_of::<usize>() {
            return Err(Error::EINVAL);
        }
        let (mut events, mut live) = (0, true);
        let mut take = || {
            let mut s = self.state.lock();
            (events, live) = (core::mem::take(&mut s.events), s.live);
            events != 0 || !live
        };
        if how.nonblock() {
            if !take() {
                return Err(Error::EAGAIN);
            }
        } else {
            self.queue.wait_interruptible(take)?;
        }
        if !live {
            return Err(Error::ENODEV);
        }
        if room < size_of::<usize>() {
            to.write(&(events as u32).to_ne_bytes())
        } else {
            to.write(&events.to_ne_bytes())
        }
    }

    fn poll(&'static self, _file: &(), table: &PollTable<'_>) -> u32 {
        table.watch(&self.queue);
        let s = self.state.lock();
        let readable = if s.events != 0 { chrdev::POLLIN } else { 0 };
        if s.live {
            readable
        } else {
            chrdev::POLLIN | chrdev::POLLERR
        }
    }

    fn ioctl(&'static self, _file: &(), cmd: u32, arg: usize) -> Result<u32> {
        let p = UserPtr::new(arg);
        match cmd {
            abi::RD_TIME => {
                let now = self.now()?;
                p.write(&now.encode())?;
            }
            abi::SET_TIME => self.set_time(&get_time(p)?)?,
            abi::ALM_SET => self.set_time_of_day(&get_time(p)?)?,
            abi::ALM_READ => {
                let at = self.alarm()?.0;
                p.write(&at.encode())?;
            }
            abi::WKALM_RD => {
                // struct rtc_wkalrm: enabled, pending, two bytes of padding, the time.
                let mut raw = [0; 40];
                let (at, on) = self.alarm()?;
                let (head, time) = raw.split_at_mut(4);
                time.copy_from_slice(&at.encode());
                if let Some(enabled) = head.first_mut() {
                    *enabled = u8::from(on);
                }
                p.write(&raw)?;
            }
            abi::WKALM_SET => {
                let mut raw = [0; 40];
                p.read(&mut raw)?;
                let on = raw.first().is_some_and(|b| *b != 0);
                let time = raw.last_chunk().ok_or(Error::EINVAL)?;
                self.set_alarm(&mut self.clock()?, Time::decode(time), on)?;
            }
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
