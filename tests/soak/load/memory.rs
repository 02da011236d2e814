//! What the process holds, as the system counts it.

/// Resident memory in bytes; `None` where the system does not tell it like Linux.
pub(crate) fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// In MiB, to a tenth.
pub(crate) fn mib(bytes: Option<u64>) -> String {
    match bytes {
        Some(bytes) => {
            let tenths = bytes * 10 / (1 << 20);
            format!("{}.{} MiB", tenths / 10, tenths % 10)
        }
        None => "unknown".into(),
    }
}
