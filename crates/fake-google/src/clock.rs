//! The one clock of fake Google: fixed or advancing, and set by tests. Every expiry, quota and date reads it.
//!
//! Owns the clock and the calendar arithmetic behind serial dates and RFC 3339. Must not know who asks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;
/// Days from Sheets' day zero, 1899-12-30, to the Unix epoch.
pub(crate) const SERIAL_OF_UNIX_EPOCH: i64 = 25_569;

/// A clock that stands or runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base_unix_ms: u64,
    /// `None` while the clock stands.
    running_since: Option<Instant>,
}

impl Clock {
    /// A running clock that shows the machine's time.
    pub(crate) fn of_machine() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Clock {
            base_unix_ms: u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
            running_since: Some(Instant::now()),
        }
    }

    /// Unix time in milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        let run = self.running_since.map_or(0, |since| {
            u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
        });
        self.base_unix_ms.saturating_add(run)
    }

    /// Whether it runs.
    pub(crate) fn runs(&self) -> bool {
        self.running_since.is_some()
    }

    /// Sets the time; it goes on standing or running as before.
    pub(crate) fn set(&mut self, unix_ms: u64) {
        self.base_unix_ms = unix_ms;
        self.running_since = self.running_since.map(|_| Instant::now());
    }

    /// Moves the time forward.
    pub(crate) fn advance(&mut self, by_ms: u64) {
        self.set(self.now_ms().saturating_add(by_ms));
    }

    /// Makes it stand or run from the time it shows.
    pub(crate) fn run(&mut self, runs: bool) {
        self.base_unix_ms = self.now_ms();
        self.running_since = runs.then(Instant::now);
    }
}

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: u32,
    /// 1 to 31.
    pub(crate) day: u32,
}

/// Days from 1970-01-01, or `None` for a day that the calendar does not have.
/// The formula is Howard Hinnant's `days_from_civil`, <https://howardhinnant.github.io/date_algorithms.html>.
pub(crate) fn unix_days(date: Date) -> Option<i64> {
    let Date { year, month, day } = date;
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The day that is `days` after 1970-01-01; the inverse of [`unix_days`], from the same source.
pub(crate) fn date_of(days: i64) -> Date {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = u32::try_from(day_of_year - (153 * month_from_march + 2) / 5 + 1).unwrap_or(1);
    let month = u32::try_from(if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    });
    let month = month.unwrap_or(1);
    Date {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day,
    }
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        13.. | 0 => 0,
    }
}

/// The year that a Unix time falls into, in UTC.
pub(crate) fn year_of(unix_ms: u64) -> i64 {
    date_of(i64::try_from(unix_ms / DAY_MS).unwrap_or(0)).year
}

/// RFC 3339 with milliseconds in UTC, as Drive writes times.
pub(crate) fn rfc3339(unix_ms: u64) -> String {
    let date = date_of(i64::try_from(unix_ms / DAY_MS).unwrap_or(0));
    let ms = unix_ms % DAY_MS;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year,
        date.month,
        date.day,
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1_000 % 60,
        ms % 1_000
    )
}

/// The date form of HTTP headers (RFC 9110 §5.6.7), which `X-Goog-Channel-Expiration` has.
pub(crate) fn http_date(unix_ms: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = unix_ms / DAY_MS;
    let date = date_of(i64::try_from(days).unwrap_or(0));
    let s = unix_ms % DAY_MS / 1_000;
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        DAYS[(days % 7) as usize],
        date.day,
        MONTHS[(date.month as usize + 11) % 12],
        date.year,
        s / 3_600,
        s / 60 % 60,
        s % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (-200_000..200_000).step_by(13) {
            assert_eq!(unix_days(date_of(days)), Some(days));
        }
        assert_eq!(
            unix_days(Date {
                year: 1899,
                month: 12,
                day: 30
            }),
            Some(-SERIAL_OF_UNIX_EPOCH)
        );
        assert_eq!(
            unix_days(Date {
                year: 2026,
                month: 2,
                day: 29
            }),
            None
        );
    }

    #[test]
    fn times_are_written_as_google_writes_them() {
        assert_eq!(rfc3339(1_795_426_496_007), "2026-11-23T09:34:56.007Z");
        assert_eq!(
            http_date(1_795_426_496_007),
            "Mon, 23 Nov 2026 09:34:56 GMT"
        );
    }

    #[test]
    fn a_standing_clock_moves_only_when_told() {
        let mut clock = Clock::of_machine();
        clock.run(false);
        clock.set(1_000);
        assert_eq!(clock.now_ms(), 1_000);
        clock.advance(500);
        assert_eq!(clock.now_ms(), 1_500);
    }
}
