//! The small buffers.

use super::ndr::{Writer, sid_bytes};

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes()
}

/// FILETIME of Unix seconds (MS-DTYP §2.3.3); zero before 1601.
#[must_use]
pub fn file_time(seconds: i64) -> u64 {
    let since_1601 = seconds.saturating_add(11_644_473_600);
    u64::try_from(since_1601)
        .unwrap_or(0)
        .saturating_mul(10_000_000)
}

/// PAC_CLIENT_INFO (MS-PAC §2.7).
#[must_use]
pub fn client_info(name: &str, auth_time: i64) -> Vec<u8> {
    let name = utf16(name);
    let time = file_time(auth_time).to_le_bytes();
    [&time[..], &short(name.len()), &name].concat()
}

/// UPN_DNS_INFO (MS-PAC §2.10), with account name and SID if they are given.
#[must_use]
pub fn upn_dns_info(
    upn: &str,
    dns_domain: &str,
    flags: u32,
    extended: Option<(&str, &str)>,
) -> Vec<u8> {
    let mut texts = vec![utf16(upn), utf16(dns_domain)];
    let mut flags = flags;
    if let Some((account, sid)) = extended {
        texts.extend([utf16(account), sid_bytes(sid)]);
        flags |= 2;
    }
    let mut offset = if texts.len() > 2 { 24 } else { 16 };
    let (mut head, mut body) = (Vec::new(), Vec::new());
    for (index, text) in texts.iter().enumerate() {
        if index == 2 {
            head.extend(flags.to_le_bytes());
        }
        head.extend(short(text.len()));
        head.extend(short(offset));
        body.extend(text);
        body.resize(body.len().next_multiple_of(8), 0);
        offset = offset.saturating_add(text.len()).next_multiple_of(8);
    }
    if texts.len() == 2 {
        head.extend(flags.to_le_bytes());
    }
    head.resize(head.len().next_multiple_of(8), 0);
    head.extend(body);
    head
}

/// PAC_REQUESTOR (MS-PAC §2.15).
#[must_use]
pub fn requestor(sid: &str) -> Vec<u8> {
    sid_bytes(sid)
}

/// S4U_DELEGATION_INFO (MS-PAC §2.9).
#[must_use]
pub fn delegation_info(target: &str, transited: &[&str]) -> Vec<u8> {
    let mut out = Writer::default();
    out.string(target);
    out.strings(transited);
    out.finish()
}
