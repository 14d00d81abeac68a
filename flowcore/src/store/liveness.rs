//! Whether a process of the record still lives.

use std::fs;
use std::process;

use super::process::{ProcessIdentity, ProcessRow};

/// This process, as others on this machine and elsewhere may find it.
pub(crate) fn myself() -> ProcessIdentity {
    let pid = process::id();
    ProcessIdentity {
        host: first_line("/proc/sys/kernel/hostname"),
        machine: first_line("/etc/machine-id"),
        boot: first_line("/proc/sys/kernel/random/boot_id"),
        pid_namespace: fs::read_link("/proc/self/ns/pid")
            .map(|link| link.to_string_lossy().into_owned())
            .unwrap_or_default(),
        pid,
        started: started(pid).unwrap_or_default(),
        program: std::env::current_exe()
            .map(|program| program.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

fn first_line(file: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// When a process was started, in the system's ticks; `None` if there is none of that number.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    // Who is dead and not yet waited for has ended all the same.
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Why the process is dead, if it is. One that can be looked for is; else its lease tells.
pub(crate) fn death(row: &ProcessRow, me: &ProcessIdentity, now: i64) -> Option<String> {
    let ProcessIdentity { host, pid, .. } = &row.identity;
    let same_machine = row.identity.machine == me.machine && row.identity.host == me.host;
    if !me.boot.is_empty() && same_machine {
        if row.identity.boot != me.boot {
            return Some(format!("its machine {host} was started anew"));
        }
        if row.identity.pid_namespace == me.pid_namespace && me.started != 0 {
            return (started(*pid) != Some(row.identity.started)).then(|| format!("its process {pid} died"));
        }
    }
    let silent = (now - row.seen_at) / 1_000_000_000;
    (now > row.lease_until).then(|| format!("its process {pid} on {host} was silent for {silent} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(identity: ProcessIdentity, lease_until: i64) -> ProcessRow {
        ProcessRow {
            number: 1,
            identity,
            opened_at: 0,
            seen_at: 0,
            lease_until,
            ended_at: None,
            end: None,
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_here_is_looked_for_whatever_its_lease() {
        let me = myself();
        assert_eq!(death(&row(me.clone(), 0), &me, 100), None);
        let mut child = process::Command::new("true").spawn().unwrap();
        let gone = ProcessIdentity {
            pid: child.id(),
            ..me.clone()
        };
        child.wait().unwrap();
        assert!(death(&row(gone, 1000), &me, 100).unwrap().contains("died"));
        let reused = ProcessIdentity {
            started: me.started - 1,
            ..me.clone()
        };
        assert!(death(&row(reused, 1000), &me, 100).is_some());
        let before = ProcessIdentity {
            boot: "another".to_owned(),
            ..me.clone()
        };
        assert!(death(&row(before, 1000), &me, 100).unwrap().contains("anew"));
    }

    #[test]
    fn a_process_elsewhere_lives_as_long_as_its_lease() {
        let me = myself();
        let other = ProcessIdentity {
            host: "elsewhere".to_owned(),
            machine: "another".to_owned(),
            ..me.clone()
        };
        assert_eq!(death(&row(other.clone(), 1000), &me, 999), None);
        let why = death(&row(other, 1000), &me, 5_000_000_000).unwrap();
        assert!(why.contains("silent for 5 s"), "{why}");
    }
}
