// SPDX-License-Identifier: MIT
//! The virtio entropy source (5.4): asked once at start, then each time its answer came, up to what seeds the generator.

use super::queue::{Piece, Queue};
use super::{Transport, F_RING_PACKED};
use kernel::alloc::{Arc, KBox};
use kernel::dma::Dma;
use kernel::sync::SpinLockIrq;
use kernel::{irq, platform, Result};

const BYTES: usize = 64;

struct Rng {
    t: KBox<dyn Transport>,
    ring: SpinLockIrq<Queue>,
    buf: Dma,
    left: SpinLockIrq<u32>,
}

impl Rng {
    fn ask(&self) -> Result {
        self.ring.lock().push(&[Piece { mem: self.buf.segment(0, BYTES)?, writable: true }], 0)?;
        self.t.notify(0);
        Ok(())
    }
}

impl irq::Handler for Rng {
    fn handle(&self) -> bool {
        if self.t.acknowledge() == 0 {
            return false;
        }
        let (popped, broke) = {
            let mut ring = self.ring.lock();
            let before = ring.is_broken();
            (ring.pop(), !before && ring.is_broken())
        };
        if broke {
            let _ = super::fail(&*self.t, "virtio-rng", super::BROKE_RULES);
        }
        if let Some((_, n)) = popped {
            let mut bytes = [0u8; BYTES];
            let n = self.buf.copy_out(0, bytes.get_mut(..n as usize).unwrap_or(&mut []));
            // The host's word is taken for half of what it gives.
            platform::add_entropy(bytes.get(..n).unwrap_or(&[]), 4 * n as u32);
            let mut left = self.left.lock();
            if n > 0 && *left > 0 {
                *left -= 1;
                drop(left);
                let _ = self.ask(); // a full or broken queue: no more from this source
            }
        }
        true
    }
}

/// A source with its driver.
pub struct Bound {
    rng: Arc<Rng>,
    registered: irq::Registration,
}

/// Starts the source behind `t`.
pub fn bind(t: KBox<dyn Transport>) -> Result<Bound> {
    let f = super::negotiate(&*t, F_RING_PACKED)?;
    let ring = Queue::new(t.engine(), t.queue_max(0).min(8), f)?;
    let buf = Dma::alloc(t.engine(), BYTES)?;
    let rng = Arc::new(Rng { t, ring: SpinLockIrq::new(ring), buf, left: SpinLockIrq::new(3) })?;
    let (source, vector, shared) = rng.t.interrupt()?;
    let registered = irq::request_owned(source, &rng, c"virtio-rng", shared)?;
    rng.t.queue_setup(0, &rng.ring.lock(), vector)?;
    super::go(&*rng.t);
    rng.ask()?;
    Ok(Bound { rng, registered })
}

impl Bound {
    /// Takes the driver away: nothing of it stays. Sleeps.
    pub fn remove(self) -> Result {
        super::leave(&*self.rng.t)?;
        drop(self.registered);
        Ok(())
    }
}

#[path = "test/rng.rs"]
mod test;
