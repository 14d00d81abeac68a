//! What the process takes of the machine's memory, as the kernel tells it.

use std::fs;

/// Pages are 4 KiB on the platforms that these tests read `/proc` of.
const PAGE: usize = 4096;

/// Bytes of memory resident at present.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn resident_bytes() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<usize>().ok());
    match pages {
        Some(pages) => pages * PAGE,
        None => panic!("/proc/self/statm can't be read"),
    }
}

/// Runs `code` and tells the most memory that was resident meanwhile, in MiB.
pub fn peak_of<T>(code: impl FnOnce() -> T) -> (T, usize) {
    // Sets the high-water mark back to what is resident now; a kernel without it only overstates the peak.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let done = code();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .split_whitespace()
            .next()?
            .parse::<usize>()
            .ok()
    });
    (done, peak.unwrap_or_default() / 1024)
}
