//! A file that is its owner's alone.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::error::StoreError;
use super::temporary::{Temporary, left_beside};

/// What the file holds; `None` where there is none. A file that others could read is made the owner's alone.
pub(super) fn read(path: &Path, limit: usize) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let failed = |what: &'static str| move |error| StoreError::io(what, path, error);
    let named = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed("look at"))?,
    };
    if !named.is_file() {
        return Err(StoreError::NotOurs { path: path.to_owned(), why: "it is no plain file" });
    }
    own::folder(&folder(path))?;
    let file = match own::options().read(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed("open"))?,
    };
    own::tighten(&file, path)?;
    let size = file.metadata().map_err(failed("look at"))?.len();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > limit {
        return Err(StoreError::FileTooLarge { path: path.to_owned(), size, limit });
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(limit.min(size + 1)));
    file.take(limit as u64).read_to_end(&mut octets).map_err(failed("read"))?;
    Ok(Some(octets))
}

#[cfg(unix)]
mod own {
    use std::fs::{self, DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    use rustix::fs::OFlags;
    use rustix::process::geteuid;

    use super::super::StoreError;

    /// The owner's alone, and no link is followed.
    pub(in super::super) fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        // The flags have few enough bits for either type.
        options.mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        options
    }

    /// Gives a file that was just created the mode 0600, whatever the umask.
    pub(in super::super) fn owner_only(file: &File, path: &Path) -> Result<(), StoreError> {
        let done = file.metadata().and_then(|metadata| match metadata.mode() & 0o777 {
            0o600 => Ok(()),
            _ => file.set_permissions(fs::Permissions::from_mode(0o600)),
        });
        done.map_err(|error| StoreError::io("set the mode of", path, error))
    }

    /// The inode number of a file.
    pub(super) fn number(metadata: &fs::Metadata) -> u64 {
        metadata.ino()
    }

    /// Creates a directory with the mode 0700, whatever the umask.
    pub(super) fn make(folder: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(folder)?;
        match fs::metadata(folder)?.mode() & 0o777 {
            0o700 => Ok(()),
            _ => fs::set_permissions(folder, fs::Permissions::from_mode(0o700)),
        }
    }

    pub(super) fn tighten(file: &File, path: &Path) -> Result<(), StoreError> {
        let metadata = file.metadata().map_err(|error| StoreError::io("look at", path, error))?;
        let not_ours = |why| Err(StoreError::NotOurs { path: path.to_owned(), why });
        if metadata.uid() != geteuid().as_raw() {
            return not_ours("it is somebody else's");
        }
        if !metadata.is_file() {
            return not_ours("it is no plain file");
        }
        if metadata.mode() & 0o077 != 0 {
            let owners = fs::Permissions::from_mode(0o600);
            file.set_permissions(owners).map_err(|error| StoreError::io("tighten", path, error))?;
        }
        Ok(())
    }

    /// Whether nobody else can put a file in it.
    pub(super) fn folder(folder: &Path) -> Result<(), StoreError> {
        let metadata = fs::metadata(folder).map_err(|error| StoreError::io("look at", folder, error))?;
        let not_ours = |why| Err(StoreError::NotOurs { path: folder.to_owned(), why });
        if metadata.uid() != geteuid().as_raw() {
            return not_ours("the folder is somebody else's");
        }
        if metadata.mode() & 0o022 != 0 {
            return not_ours("others can write in that folder");
        }
        Ok(())
    }
}

/// Where there are no modes, what a profile's folder allows is for its owner to say.
#[cfg(not(unix))]
mod own {
    use std::fs::{File, OpenOptions};
    use std::path::Path;

    use super::super::StoreError;

    pub(in super::super) fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(in super::super) fn owner_only(_: &File, _: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn number(_: &std::fs::Metadata) -> u64 {
        0
    }

    pub(super) fn make(folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir(folder)
    }

    pub(super) fn tighten(_: &File, _: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn folder(_: &Path) -> Result<(), StoreError> {
        Ok(())
    }
}

pub(super) use own::{options, owner_only};

/// Where the file is.
pub(super) fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes the folder, the owner's alone; one that is there must be so that nobody else can put a file in it.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    let folder = folder(path);
    make(&folder).map_err(|error| StoreError::io("make", &folder, error))?;
    own::folder(&folder)
}

/// Creates the folder and its parents, if they do not exist.
fn make(folder: &Path) -> io::Result<()> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty() && !above.is_dir());
    if let Some(above) = above {
        make(above)?;
    }
    match own::make(folder) {
        // Another process may have created it meanwhile.
        Err(_) if folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Replaces the content of the file atomically and durably: a reader finds the old octets or the new ones, complete, also
/// after a crash. The octets are written to the reserved file, if it still exists.
///
/// Returns `false`, and writes nothing, if the file is not the one that was seen: then another process wrote meanwhile.
pub(super) fn write(path: &Path, octets: &[u8], reserved: Option<Temporary>, seen: Seen) -> Result<bool, StoreError> {
    let mut temporary = match reserved.filter(Temporary::is_there) {
        Some(reserved) => reserved,
        None => Temporary::beside(path)?,
    };
    temporary.write(octets)?;
    if Seen::at(path) != seen {
        return Ok(false);
    }
    temporary.rename_to(path)?;
    Ok(true)
}

/// Distinguishes one state of a file from another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen(Option<(u64, u64, Option<SystemTime>)>);

impl Seen {
    pub(super) fn at(path: &Path) -> Self {
        let metadata = fs::symlink_metadata(path).ok();
        Self(metadata.map(|metadata| (own::number(&metadata), metadata.len(), metadata.modified().ok())))
    }
}

/// Syncs the folder, so that a rename in it survives a crash.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        let folder = folder(path);
        let synced = File::open(&folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| StoreError::io("save the folder", &folder, error))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Removes the files that killed processes left. No other process writes while the lock is held.
pub(super) fn sweep(path: &Path) {
    // What cannot be removed is left for the next writer.
    for left in left_beside(path) {
        let _ = fs::remove_file(left);
    }
}

/// Overwrites the file in place, if nothing else is possible: a crash during the write damages the file. The rest of
/// the old text becomes spaces, so that no part of it stays and the file needs no more space.
pub(super) fn overwrite(path: &Path, octets: &[u8]) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("overwrite", path, error);
    let mut file = options().write(true).open(path).map_err(failed)?;
    let size = usize::try_from(file.metadata().map_err(failed)?.len()).unwrap_or(usize::MAX);
    if octets.len() > size {
        return Err(failed(io::Error::from(ErrorKind::StorageFull)));
    }
    let mut padded = Zeroizing::new(octets.to_vec());
    padded.reserve_exact(size - octets.len());
    padded.resize(size, b' ');
    file.write_all(&padded).and_then(|()| file.sync_all()).map_err(failed)
}

/// Removes the file, or else its content.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let emptied =
                options().write(true).open(path).and_then(|file| file.set_len(0).and_then(|()| file.sync_all()));
            emptied.map_err(|_| StoreError::io("remove", path, error))
        }
        // The file is removed; only a crash could bring it back.
        _ => {
            let _ = sync_folder(path);
            Ok(())
        }
    }
}
