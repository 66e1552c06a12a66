// SPDX-License-Identifier: MIT
//! Dates of the Gregorian calendar, as clocks hold them, and seconds since 1970.

/// A moment, in the clock's own terms. It may be nonsense until `is_valid` was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Time {
    /// All four digits.
    pub year: i32,
    /// 1 to 12.
    pub month: i32,
    /// 1 to 31.
    pub day: i32,
    /// 0 to 23.
    pub hour: i32,
    /// 0 to 59.
    pub min: i32,
    /// 0 to 59.
    pub sec: i32,
}

/// Seconds of a day.
pub const DAY: i64 = 86_400;

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Time {
    /// 1970-01-01 00:00:00.
    pub const EPOCH: Time = Time { year: 1970, month: 1, day: 1, hour: 0, min: 0, sec: 0 };

    /// Whether there is such a moment, in 1970 or later.
    pub fn is_valid(&self) -> bool {
        (1970..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.min)
            && (0..60).contains(&self.sec)
    }

    /// Days since 1970-01-01 of a valid one. Years are counted from March, so that leap days come last.
    fn days(&self) -> i64 {
        let y = i64::from(self.year) - i64::from(self.month <= 2);
        let m = i64::from((self.month + 9) % 12);
        let era = y.div_euclid(400);
        let in_year = (153 * m + 2) / 5 + i64::from(self.day) - 1;
        let yoe = y.rem_euclid(400);
        era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + in_year - 719_468
    }

    /// Seconds since 1970 of a valid one.
    pub fn to_secs(&self) -> i64 {
        self.days() * DAY + i64::from(self.hour) * 3600 + i64::from(self.min) * 60 + i64::from(self.sec)
    }

    /// The moment that many seconds after 1970 began.
    pub fn from_secs(secs: i64) -> Time {
        let s = secs.rem_euclid(DAY);
        let z = secs.div_euclid(DAY) + 719_468;
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + z.div_euclid(146_097) * 400 + i64::from(month <= 2);
        Time {
            year: year as i32,
            month: month as i32,
            day: (doy - (153 * mp + 2) / 5 + 1) as i32,
            hour: (s / 3600) as i32,
            min: (s / 60 % 60) as i32,
            sec: (s % 60) as i32,
        }
    }

    /// 0: Sunday.
    pub fn weekday(&self) -> i32 {
        (self.days() + 4).rem_euclid(7) as i32
    }

    /// 0: the first of January.
    pub fn yearday(&self) -> i32 {
        (self.days() - Time { month: 1, day: 1, ..*self }.days()) as i32
    }

    /// As `struct rtc_time` of <linux/rtc.h>.
    pub fn encode(&self) -> [u8; 36] {
        let fields = [self.sec, self.min, self.hour, self.day, self.month - 1, self.year - 1900, self.weekday(), self.yearday(), 0];
        let mut out = [0; 36];
        for (to, v) in out.chunks_exact_mut(4).zip(fields) {
            to.copy_from_slice(&v.to_ne_bytes());
        }
        out
    }

    /// From a `struct rtc_time`; weekday, day of the year and summer time are not looked at.
    pub fn decode(raw: &[u8; 36]) -> Time {
        let mut f = raw.chunks_exact(4).map(|c| c.try_into().map_or(0, i32::from_ne_bytes));
        let mut next = || f.next().unwrap_or(0);
        let (sec, min, hour, day, month, year) = (next(), next(), next(), next(), next(), next());
        Time { year: year.saturating_add(1900), month: month.saturating_add(1), day, hour, min, sec }
    }
}
