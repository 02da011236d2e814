//! Flags by their names.

use alloc::string::String;
use alloc::vec::Vec;

use crate::kerberos::{ApOptions, KdcOptions, PacOptions, S4uOptions, TicketFlags};
use crate::spnego::ContextFlags;

fn join(bits: u32, names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.collect();
    alloc::format!("{bits:#010x} {}", names.join(" "))
}

pub(super) fn context_flags(bits: u32) -> String {
    join(bits, ContextFlags(bits).names())
}

pub(super) fn ap_options(bits: u32) -> String {
    join(bits, ApOptions(bits).names())
}

pub(super) fn pac_options(bits: u32) -> String {
    join(bits, PacOptions(bits).names())
}

pub(super) fn s4u_options(bits: u32) -> String {
    join(bits, S4uOptions(bits).names())
}

pub(super) fn ticket_flags(bits: u32) -> String {
    join(bits, TicketFlags(bits).names())
}

pub(super) fn kdc_options(bits: u32) -> String {
    join(bits, KdcOptions(bits).names())
}
