// SPDX-License-Identifier: MIT
//! Commands of the network's driver to a device that obeys, refuses, breaks the rules, or never answers.

use super::super::net_ctrl::{Command, Wish};
use super::super::test::{Evil, Handle, Ring};
use super::{make, Nic, BY_COMMAND, F_CTRL_MAC_ADDR, F_CTRL_VQ, F_MQ};
use kernel::alloc::{Arc, KBox, KERNEL};
use kernel::net::Driver;
use kernel::sync::SpinLock;
use kernel::thread::{self, JoinHandle};
use kernel::{kt_assert, kt_eq, Error, Result};

// Behind one pair.
const CONTROL: u16 = 2;
const PATIENCE_MS: u32 = 10_000;
const SEEN: usize = 24;
const MAC: [u8; 6] = [2, 1, 1, 1, 1, 1];

/// What the device does with a command.
#[derive(Clone, Copy)]
enum Does {
    Answers(u8),
    /// Says that it is done with a chain that there is not.
    Lies,
}

/// The first bytes of each command.
type Seen = Arc<SpinLock<[[u8; SEEN]; 4]>>;

struct Test {
    evil: Arc<Evil>,
    nic: Arc<Nic>,
    seen: Seen,
}

impl Test {
    fn new(offered: u64) -> Result<Test> {
        let evil = Arc::new(Evil::new(1, offered, 64, &[])?)?;
        let nic = make(KBox::new(Handle(evil.clone()), KERNEL)?)?;
        if let Some(c) = &nic.control {
            c.setup(&*nic.t, 0)?;
        }
        super::super::go(&*nic.t);
        Ok(Test { evil, nic, seen: Arc::new(SpinLock::new([[0; SEEN]; 4]))? })
    }

    /// The device does that with the next commands, one after the other.
    fn device(&self, does: &'static [Does]) -> Result<JoinHandle> {
        let (evil, nic, seen) = (self.evil.clone(), self.nic.clone(), self.seen.clone());
        let control = self.nic.control.as_ref().ok_or(Error::ENODEV)?;
        let (mem, ack_at) = control.device_side(); // not while a command is under way
        thread::spawn(c"virtio-net", move || {
            let Some(control) = &nic.control else { return };
            for (i, d) in does.iter().enumerate() {
                let mut a = None;
                evil.told.wait_timeout(PATIENCE_MS, || {
                    a = evil.ring(CONTROL.into(), Ring::take).flatten();
                    a.is_some()
                });
                let Some(a) = a else { return };
                if let Some(place) = seen.lock().get_mut(i) {
                    mem.copy_out(0, place);
                }
                match d {
                    Does::Answers(ack) => {
                        mem.write8(ack_at, *ack);
                        evil.ring(CONTROL.into(), |r| r.give(a.id.into(), 1, a.descs));
                    }
                    Does::Lies => _ = evil.ring(CONTROL.into(), |r| r.give(77, 1, 1)),
                }
                control.answered();
            }
        })
    }

    fn command(&self, c: Command, data: &[u8]) -> Result {
        self.nic.control.as_ref().ok_or(Error::ENODEV)?.command(&*self.nic.t, c, data)
    }
}

fn obeys(run: &mut kernel::ktest::Run<'_>) -> Result {
    let Ok(t) = Test::new(BY_COMMAND) else { return run.skip(c"no message interrupts") };
    kt_eq!(t.nic.agreed & BY_COMMAND, BY_COMMAND & !F_MQ); // it has no number of pairs
    let d = t.device(&[Does::Answers(0), Does::Answers(0), Does::Answers(0)])?;
    let mut w = Wish::new(MAC);
    (w.promiscuous, w.nr) = (true, 1);
    w.groups = [[1, 0, 0x5e, 0, 0, 9]; super::GROUPS];
    let control = t.nic.control.as_ref().ok_or(Error::ENODEV)?;
    kt_eq!(control.receive(&*t.nic.t, &w), Ok(()));
    d.join();
    let [promiscuous, all, table, _] = *t.seen.lock();
    kt_eq!(promiscuous.first_chunk(), Some(&[0u8, 0, 1]));
    kt_eq!(all.first_chunk(), Some(&[0u8, 1, 0]));
    let told = [1, 0, 1, 0, 0, 0, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 9];
    kt_eq!(table.first_chunk(), Some(&told));
    // All groups are let in where one asks for that: none is named.
    let d = t.device(&[Does::Answers(0), Does::Answers(0), Does::Answers(0)])?;
    (w.promiscuous, w.all_groups, w.nr) = (false, true, super::GROUPS);
    kt_eq!(control.receive(&*t.nic.t, &w), Ok(()));
    d.join();
    let [promiscuous, all, table, _] = *t.seen.lock();
    kt_eq!((promiscuous.get(2), all.get(2), table.get(12)), (Some(&0), Some(&1), Some(&0)));
    let d = t.device(&[Does::Answers(0), Does::Answers(0)])?;
    kt_eq!(t.nic.set_mac(&MAC), Ok(()));
    kt_eq!(t.command(Command::Announced, &[]), Ok(()));
    d.join();
    let [address, announced, ..] = *t.seen.lock();
    kt_eq!(address.first_chunk(), Some(&[1u8, 1, 2, 1, 1, 1, 1, 1]));
    kt_eq!(announced.first_chunk(), Some(&[3u8, 0]));
    Ok(())
}

/// A command that is refused fails, and the next one does not.
fn refuses(run: &mut kernel::ktest::Run<'_>) -> Result {
    let Ok(t) = Test::new(BY_COMMAND) else { return run.skip(c"no message interrupts") };
    let d = t.device(&[Does::Answers(1), Does::Answers(0xff), Does::Answers(0)])?;
    kt_eq!(t.nic.set_mac(&MAC), Err(Error::EINVAL));
    kt_eq!(t.nic.wish.lock().own, [0; 6]);
    kt_eq!(t.command(Command::Promiscuous, &[1]), Err(Error::EINVAL));
    kt_eq!(t.nic.set_mac(&MAC), Ok(()));
    kt_eq!(t.nic.wish.lock().own, MAC);
    d.join();
    // A ring that makes no sense is the end of commands.
    let d = t.device(&[Does::Lies])?;
    kt_eq!(t.command(Command::Promiscuous, &[1]), Err(Error::EIO));
    kt_eq!(t.command(Command::Promiscuous, &[1]), Err(Error::EIO));
    d.join();
    // What needs the queue is not taken without it.
    kt_eq!(Test::new(BY_COMMAND & !F_CTRL_VQ)?.nic.agreed & BY_COMMAND, 0);
    let t = Test::new(BY_COMMAND & !F_CTRL_MAC_ADDR)?;
    kt_eq!(t.nic.set_mac(&MAC), Ok(())); // nobody is asked
    Ok(())
}

/// A device that never answers is asked once.
fn silent(run: &mut kernel::ktest::Run<'_>) -> Result {
    let Ok(t) = Test::new(BY_COMMAND) else { return run.skip(c"no message interrupts") };
    kt_eq!(t.nic.set_mac(&MAC), Err(Error::EIO));
    kt_eq!(t.nic.set_mac(&MAC), Err(Error::EIO));
    kt_assert!(t.evil.ring(CONTROL.into(), Ring::take).flatten().is_some());
    kt_assert!(t.evil.ring(CONTROL.into(), Ring::take).flatten().is_none());
    Ok(())
}

kernel::ktest!(virtio_net_ctrl_obeys, obeys);
kernel::ktest!(virtio_net_ctrl_refuses, refuses);
kernel::ktest!(virtio_net_ctrl_silent, silent);
