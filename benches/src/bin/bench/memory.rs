//! What of this process is in memory, as Linux counts it (proc(5)). Other systems do not tell.

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line
        .strip_prefix(':')?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()?;
    Some(kibibytes << 10)
}

/// Now.
pub(crate) fn resident() -> Option<u64> {
    status("VmRSS")
}

/// The most since this was asked last.
pub(crate) fn peak() -> Option<u64> {
    let peak = status("VmHWM")?;
    // `clear_refs` takes 5 for: begin anew.
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    Some(peak)
}
