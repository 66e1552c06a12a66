// SPDX-License-Identifier: MIT
//! Numbers of the user ABI that drivers answer to, from the user headers of this CPU.

/// ioctls and interrupt flags of `/dev/rtc0`; rtc(4).
pub mod rtc {
    use crate::bindings as b;

    /// Alarm interrupt on.
    pub const AIE_ON: u32 = b::RUST_RTC_AIE_ON;
    /// And off.
    pub const AIE_OFF: u32 = b::RUST_RTC_AIE_OFF;
    /// Update interrupt, once a second, on.
    pub const UIE_ON: u32 = b::RUST_RTC_UIE_ON;
    /// And off.
    pub const UIE_OFF: u32 = b::RUST_RTC_UIE_OFF;
    /// Periodic interrupt on.
    pub const PIE_ON: u32 = b::RUST_RTC_PIE_ON;
    /// And off.
    pub const PIE_OFF: u32 = b::RUST_RTC_PIE_OFF;
    /// Sets an alarm within a day.
    pub const ALM_SET: u32 = b::RUST_RTC_ALM_SET;
    /// Reads it.
    pub const ALM_READ: u32 = b::RUST_RTC_ALM_READ;
    /// Reads the clock.
    pub const RD_TIME: u32 = b::RUST_RTC_RD_TIME;
    /// Sets it.
    pub const SET_TIME: u32 = b::RUST_RTC_SET_TIME;
    /// Reads the rate of the periodic interrupt.
    pub const IRQP_READ: u32 = b::RUST_RTC_IRQP_READ;
    /// Sets it.
    pub const IRQP_SET: u32 = b::RUST_RTC_IRQP_SET;
    /// Sets an alarm with a date.
    pub const WKALM_SET: u32 = b::RUST_RTC_WKALM_SET;
    /// Reads it.
    pub const WKALM_RD: u32 = b::RUST_RTC_WKALM_RD;
    /// Reads a property.
    pub const PARAM_GET: u32 = b::RUST_RTC_PARAM_GET;
    /// Some interrupt came.
    pub const IRQF: u32 = b::RTC_IRQF;
    /// A periodic one.
    pub const PF: u32 = b::RTC_PF;
    /// The alarm.
    pub const AF: u32 = b::RTC_AF;
    /// An update.
    pub const UF: u32 = b::RTC_UF;
    /// There is an alarm.
    pub const FEATURE_ALARM: u32 = b::RTC_FEATURE_ALARM;
    /// There are update interrupts.
    pub const FEATURE_UPDATE_INTERRUPT: u32 = b::RTC_FEATURE_UPDATE_INTERRUPT;
    /// The property that names the features.
    pub const PARAM_FEATURES: u64 = b::RTC_PARAM_FEATURES as u64;

    // What the drivers encode and decode by hand.
    const _: () = assert!(size_of::<b::rtc_time>() == 36 && size_of::<b::rtc_wkalrm>() == 40 && size_of::<b::rtc_param>() == 24);
}
