// SPDX-License-Identifier: MIT
//! Which functions a driver is for: those that it names itself, and those that a program adds (the
//! files new_id and remove_id of a driver, sysfs-bus-pci).

use kernel::alloc::{KBox, ACCOUNT, KERNEL};
use kernel::list::{Entry, List};
use kernel::sync::{Mutex, Once};
use kernel::{Error, Result};

/// Of vendor, device and their board's: any.
pub const ANY: u32 = u32::MAX;

/// What is known of a function by numbers.
#[derive(Clone, Copy)]
pub struct Numbers {
    pub vendor: u16,
    pub device: u16,
    pub board: (u16, u16),
    /// Class, subclass, interface.
    pub class: u32,
}

/// Functions of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Id {
    pub vendor: u32,
    pub device: u32,
    pub board: (u32, u32),
    /// By the bits of `mask`.
    pub class: u32,
    pub mask: u32,
}

impl Id {
    /// All functions.
    pub const ALL: Id = Id { vendor: ANY, device: ANY, board: (ANY, ANY), class: 0, mask: 0 };

    fn has(&self, n: &Numbers) -> bool {
        let is = |wanted, number: u16| wanted == ANY || wanted == u32::from(number);
        is(self.vendor, n.vendor)
            && is(self.device, n.device)
            && is(self.board.0, n.board.0)
            && is(self.board.1, n.board.1)
            && (self.class ^ n.class) & self.mask == 0
    }
}

/// Hexadecimal numbers as programs write them for the kernel, up to what is none, and how many there
/// are. Of one that is too long the last digits count.
fn numbers(text: &str) -> ([u64; 7], usize) {
    let (mut all, mut rest, mut count) = ([0; 7], text, 0);
    for number in &mut all {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        if !rest.starts_with(|c: char| c.is_ascii_hexdigit()) {
            break;
        }
        rest = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")).unwrap_or(rest);
        while let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(16)) {
            *number = *number << 4 | u64::from(digit);
            rest = rest.get(1..).unwrap_or_default();
        }
        count += 1;
    }
    (all, count)
}

/// An id as it is written: vendor, device, those of the board, class, its mask, and a number for the
/// driver; how many of them there were. `EINVAL`: less than two.
fn parse(text: &str) -> Result<(Id, u64, usize)> {
    let ([vendor, device, board_vendor, board_device, class, mask, data], count) = numbers(text);
    if count < 2 {
        return Err(Error::EINVAL);
    }
    let board = if count > 3 { (board_vendor as u32, board_device as u32) } else { (ANY, ANY) };
    let board = if count == 3 { (board_vendor as u32, ANY) } else { board };
    let (vendor, device) = (vendor as u32, device as u32);
    Ok((Id { vendor, device, board, class: class as u32, mask: mask as u32 }, data, count))
}

/// The functions that a driver is for.
pub struct Ids {
    own: &'static [Id],
    // Innermost: matches() holds the lock of the bus.
    added: Once<Mutex<List<Id>>>,
}

impl Ids {
    pub const fn new(own: &'static [Id]) -> Ids {
        Ids { own, added: Once::new() }
    }

    /// Lets programs add to them. Once.
    pub fn open(&self) -> Result {
        self.added.set(KBox::new(Mutex::new(c"pci ids", List::new())?, KERNEL)?.leak())
    }

    fn in_own(&self, n: &Numbers) -> bool {
        self.own.iter().any(|id| id.has(n))
    }

    pub fn has(&self, n: &Numbers) -> bool {
        let is_added = |m: &Mutex<List<Id>>| m.lock().iter().any(|id| id.has(n));
        self.in_own(n) || self.added.get().is_some_and(is_added)
    }

    /// A write to new_id. `EINVAL`: it is no id, or its last number is none that the driver has;
    /// `EEXIST`: the driver is for such functions already, of which nobody asks who says a number
    /// for the driver.
    pub fn add(&self, text: &str) -> Result {
        let (id, data, count) = parse(text)?;
        let entry = Entry::new(id, ACCOUNT)?;
        let mut added = self.added.get().ok_or(Error::ENODEV)?.lock();
        // Linux asks for a function of those numbers, each cut to what one has.
        let asked = Numbers {
            vendor: id.vendor as u16,
            device: id.device as u16,
            board: (id.board.0 as u16, id.board.1 as u16),
            class: id.class,
        };
        if count < 7 && (self.in_own(&asked) || added.iter().any(|id| id.has(&asked))) {
            return Err(Error::EEXIST);
        }
        if data != 0 {
            return Err(Error::EINVAL);
        }
        added.push_back(entry);
        Ok(())
    }

    /// A write to remove_id. `ENODEV`: none like that was added.
    pub fn remove(&self, text: &str) -> Result {
        let (id, ..) = parse(text)?;
        let is = |wanted, number| wanted == ANY || wanted == number;
        let removed = self.added.get().ok_or(Error::ENODEV)?.lock().remove(|a| {
            (a.vendor, a.device) == (id.vendor, id.device)
                && is(id.board.0, a.board.0)
                && is(id.board.1, a.board.1)
                && (a.class ^ id.class) & id.mask == 0
        });
        removed.map(drop).ok_or(Error::ENODEV)
    }
}

fn texts(_run: &mut kernel::ktest::Run<'_>) -> Result {
    kernel::kt_eq!(numbers("1af4 0x1042\t 3\n"), ([0x1af4, 0x1042, 3, 0, 0, 0, 0], 3));
    kernel::kt_eq!(numbers("1AF4,1042").1, 1);
    kernel::kt_eq!(
        (numbers("").1, numbers("x").1, numbers("-1 2").1, numbers(" \n").1),
        (0, 0, 0, 0)
    );
    kernel::kt_eq!(numbers("1 2 3 4 5 6 7 8"), ([1, 2, 3, 4, 5, 6, 7], 7));
    kernel::kt_eq!(
        numbers("1 2 3 4 5 6 123456789abcdef01").0,
        [1, 2, 3, 4, 5, 6, 0x23456789abcdef01]
    );
    kernel::kt_eq!(parse("1 \u{e9}").err(), Some(Error::EINVAL));
    let (id, data, count) = parse("123456789 2")?;
    let wanted = Id { vendor: 0x2345_6789, device: 2, ..Id::ALL };
    kernel::kt_eq!((id, data, count), (wanted, 0, 2));
    kernel::kt_eq!(parse("1 2 3").map(|p| p.0.board), Ok((3, ANY)));
    kernel::kt_eq!(parse("1 2 3 4").map(|p| p.0.board), Ok((3, 4)));
    Ok(())
}

kernel::ktest!(pci_id_texts, texts);

fn added(_run: &mut kernel::ktest::Run<'_>) -> Result {
    static OWN: [Id; 2] =
        [Id { vendor: 0x1af4, ..Id::ALL }, Id { class: 0x060400, mask: 0xff_ffff, ..Id::ALL }];
    let ids = Ids::new(&OWN);
    let f = |vendor, device, class| Numbers { vendor, device, board: (7, 8), class };
    kernel::kt_eq!(ids.add("1 2"), Err(Error::ENODEV));
    ids.open()?;
    kernel::kt_eq!((ids.has(&f(0x1af4, 1, 0)), ids.has(&f(1, 2, 0x060400))), (true, true));
    kernel::kt_eq!((ids.has(&f(1, 2, 0)), ids.has(&f(1, 2, 0x060401))), (false, false));
    kernel::kt_eq!((ids.add("1"), ids.add("")), (Err(Error::EINVAL), Err(Error::EINVAL)));
    kernel::kt_eq!(ids.add("1af4 1042"), Err(Error::EEXIST));
    kernel::kt_eq!(ids.add("1 2 7 8 060400 0"), Err(Error::EEXIST));
    // Whoever says the driver's number is not asked whether it has such functions.
    kernel::kt_eq!(ids.add("1af4 1042 ffffffff ffffffff 0 0 1"), Err(Error::EINVAL));
    kernel::kt_eq!(ids.add("1af4 1042 ffffffff ffffffff 0 0 0"), Ok(()));
    kernel::kt_eq!(ids.remove("1af4 1042"), Ok(()));
    kernel::kt_eq!(ids.remove("1af4 1042"), Err(Error::ENODEV));
    kernel::kt_eq!((ids.add("1 2 7"), ids.add("1 2 7")), (Ok(()), Err(Error::EEXIST)));
    kernel::kt_eq!((ids.has(&f(1, 2, 0)), ids.has(&f(1, 3, 0))), (true, false));
    kernel::kt_eq!(ids.has(&Numbers { board: (6, 8), ..f(1, 2, 0) }), false);
    kernel::kt_eq!(ids.remove("1 2 6"), Err(Error::ENODEV));
    kernel::kt_eq!((ids.remove("1"), ids.remove("1 2")), (Err(Error::EINVAL), Ok(())));
    kernel::kt_eq!(ids.has(&f(1, 2, 0)), false);
    // By class alone.
    kernel::kt_eq!(ids.add("ffffffff ffffffff ffffffff ffffffff 010000 ff0000"), Ok(()));
    kernel::kt_eq!((ids.has(&f(9, 9, 0x010802)), ids.has(&f(9, 9, 0x020000))), (true, false));
    Ok(())
}

kernel::ktest!(pci_ids_added, added);
