//! File systems on which SQLite's log in shared memory doesn't work: those that several machines see.

use std::path::Path;

use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// Refuses a path on a network file system.
pub(super) fn refuse(path: &Path) -> StoreResult<()> {
    let Some(name) = network(path) else { return Ok(()) };
    let message = format!(
        "{} is on {name}, a network file system: SQLite would lose or damage runs there",
        path.display()
    );
    Err(StoreError::new(StoreErrorKind::Refused, message)
        .advise("keep the file on a local disk (FLOW_DATABASE_URL), one a machine"))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn network(path: &Path) -> Option<String> {
    // The file need not exist yet, nor its directory.
    let present = path.ancestors().find(|path| path.exists())?;
    let kind = rustix::fs::statfs(present).ok()?.f_type;
    // Some platforms have it signed and 64 bits wide.
    #[allow(clippy::unnecessary_cast, reason = "the type differs between platforms")]
    let kind = kind as u64 & 0xffff_ffff;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    name_of(kind, || fuse_type(&mounts, &present.canonicalize().ok()?))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn network(_: &Path) -> Option<String> {
    None
}

/// What a file system of that magic number is called, if machines share it. `fuse` tells which one a FUSE is.
#[cfg(any(target_os = "linux", target_os = "android", test))]
fn name_of(magic: u64, fuse: impl FnOnce() -> Option<String>) -> Option<String> {
    let name = match magic {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x1983_0326 => "BeeGFS",
        0x6573_5546 => {
            const SHARED: [&str; 12] = [
                "sshfs",
                "glusterfs",
                "s3fs",
                "rclone",
                "goofys",
                "gcsfuse",
                "cephfs",
                "davfs",
                "smbnetfs",
                "juicefs",
                "moosefs",
                "mfs",
            ];
            let kind = fuse()?;
            return SHARED.iter().any(|name| kind.contains(name)).then_some(kind);
        }
        _ => return None,
    };
    Some(name.to_owned())
}

/// The type of the mount that `path` is on, as in `fuse.sshfs`.
#[cfg(any(target_os = "linux", target_os = "android", test))]
fn fuse_type(mounts: &str, path: &Path) -> Option<String> {
    let of = mounts.lines().filter_map(|line| {
        // ID parent device root POINT options … - TYPE source …
        let (left, right) = line.split_once(" - ")?;
        let point = Path::new(left.split(' ').nth(4)?);
        path.starts_with(point)
            .then(|| (point.components().count(), right.split(' ').next()))
    });
    let (_, kind) = of.max_by_key(|(depth, _)| *depth)?;
    kind.map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known() {
        assert_eq!(name_of(0x6969, || None).as_deref(), Some("NFS"));
        assert_eq!(name_of(0xef53, || None), None, "ext4");
        assert_eq!(
            name_of(0x6573_5546, || Some("fuse.sshfs".into())).as_deref(),
            Some("fuse.sshfs")
        );
        assert_eq!(name_of(0x6573_5546, || Some("fuseblk".into())), None, "a local NTFS");
    }

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / /mnt/far rw shared:1 - fuse.sshfs host: rw\n";
        assert_eq!(fuse_type(mounts, Path::new("/mnt/far/flow.db")).unwrap(), "fuse.sshfs");
        assert_eq!(fuse_type(mounts, Path::new("/mnt/near/flow.db")).unwrap(), "ext4");
    }

    #[test]
    fn a_local_disk_is_not_refused() {
        refuse(&std::env::temp_dir().join("not/there/yet.db")).unwrap();
    }
}
