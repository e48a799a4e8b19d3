//! A file that is its owner's alone.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::StoreError;

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
        return Err(StoreError::TooLarge { size, limit });
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(limit.min(size + 1)));
    file.take(limit as u64).read_to_end(&mut octets).map_err(failed("read"))?;
    Ok(Some(octets))
}

#[cfg(unix)]
mod own {
    use std::fs::{self, DirBuilder, File, OpenOptions};
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

    pub(super) fn builder() -> DirBuilder {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        builder
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
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::path::Path;

    use super::super::StoreError;

    pub(in super::super) fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(super) fn builder() -> DirBuilder {
        DirBuilder::new()
    }

    pub(super) fn tighten(_: &File, _: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn folder(_: &Path) -> Result<(), StoreError> {
        Ok(())
    }
}

pub(super) use own::options;

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
    own::builder().recursive(true).create(&folder).map_err(|error| StoreError::io("make", &folder, error))?;
    own::folder(&folder)
}

/// Puts the octets in the place of what is there, at once and to stay: whoever reads meanwhile, or after a crash, finds the old ones
/// or the new ones, whole.
pub(super) fn write(path: &Path, octets: &[u8]) -> Result<(), StoreError> {
    let folder = folder(path);
    let (temporary, mut file) = temporary(path)?;
    let guard = Remove(&temporary);
    let done = file.write_all(octets).and_then(|()| file.sync_all());
    done.map_err(|error| StoreError::io("write", &temporary, error))?;
    fs::rename(&temporary, path).map_err(|error| StoreError::io("write", path, error))?;
    std::mem::forget(guard);
    // That it is there is what the folder says.
    #[cfg(unix)]
    File::open(&folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StoreError::io("save the folder", &folder, error))?;
    Ok(())
}

/// Takes away what those left who were killed while they wrote: nobody else writes while the lock is held.
pub(super) fn sweep(path: &Path) {
    let begins = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    // What cannot be taken away is for the next one.
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let number = name.strip_prefix(&begins).and_then(|rest| rest.strip_suffix(".new"));
        if number.is_some_and(|number| number.len() == 16 && number.bytes().all(|octet| octet.is_ascii_hexdigit())) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

struct Remove<'p>(&'p Path);

impl Drop for Remove<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0);
    }
}

/// A file that nobody else has, beside the one that is meant.
fn temporary(path: &Path) -> Result<(PathBuf, File), StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut last = None;
    for _ in 0..16 {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| StoreError::io("name a file beside", path, io::Error::other(error.to_string())))?;
        let candidate = path.with_file_name(format!(".{name}.{:016x}.new", u64::from_ne_bytes(random)));
        // What is there already, a link too, is not opened.
        match own::options().write(true).create_new(true).open(&candidate) {
            Ok(file) => return Ok((candidate, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => last = Some(error),
            Err(error) => return Err(StoreError::io("make", &candidate, error)),
        }
    }
    let error = last.unwrap_or_else(|| io::Error::other("no name is free"));
    Err(StoreError::io("make a file beside", path, error))
}
