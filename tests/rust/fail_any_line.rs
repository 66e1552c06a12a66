// SPDX-License-Identifier: MIT
//! Interrupts come from what the tables name, not from a number.
use kernel::irq::{self, Handler, Line};

pub struct Nothing;

impl Handler for Nothing {
    fn handle(&self) -> bool {
        false
    }
}

static NOTHING: Nothing = Nothing;

pub fn number() -> kernel::Result<irq::Registration> {
    irq::request(4, &NOTHING, c"four", true) // error: E0277
}

pub fn made() -> kernel::Result<Line> {
    Line::of(4) // error: E0624
}

pub fn twice(m: irq::Msi) -> kernel::Result {
    irq::request(m, &NOTHING, c"one", true)?.keep();
    irq::request(m, &NOTHING, c"two", true)?.keep(); // error: E0382
    Ok(())
}
