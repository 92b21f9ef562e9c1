//! Times since 1970.

use core::time::Duration;

use crate::layout;

layout! {
    /// `struct __kernel_timespec`: a time since 1970.
    pub struct Timespec: __kernel_timespec = 16 {
        /// Seconds.
        tv_sec: i64,
        /// And nanoseconds.
        tv_nsec: i64,
    }
}

impl Timespec {
    /// Since 1970; `None` if it is 0, which means never, or before.
    pub fn since_1970(self) -> Option<Duration> {
        let seconds = Duration::from_secs(self.tv_sec.try_into().ok()?);
        let time = seconds.checked_add(Duration::from_nanos(self.tv_nsec.try_into().ok()?))?;
        (!time.is_zero()).then_some(time)
    }
}
