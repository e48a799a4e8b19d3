//! The permissions of files and folders on Unix: only the owner can read and change them.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::error::StoreError;

/// Options that create a file with the mode 0600, and that do not follow a link.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // The flag is a small number, so the cast to a signed type does not change it.
    options.mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Gives a file that was just created the mode 0600 under any umask.
pub(super) fn set_owner_only(file: &File, path: &Path) -> Result<(), StoreError> {
    let done = file.metadata().and_then(|metadata| match metadata.mode() & 0o777 {
        0o600 => Ok(()),
        _ => file.set_permissions(Permissions::from_mode(0o600)),
    });
    done.map_err(|error| StoreError::io("set the mode of", path, error))
}

/// The inode number of a file.
pub(super) fn file_number(metadata: &Metadata) -> u64 {
    metadata.ino()
}

/// Creates a folder with the mode 0700 under any umask.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    match fs::metadata(folder)?.mode() & 0o777 {
        0o700 => Ok(()),
        _ => fs::set_permissions(folder, Permissions::from_mode(0o700)),
    }
}

/// Checks that the file belongs to this user, and takes away the permissions of other users.
pub(super) fn make_private(file: &File, path: &Path) -> Result<(), StoreError> {
    let metadata = file.metadata().map_err(|error| StoreError::io("look at", path, error))?;
    let not_private = |why| Err(StoreError::NotPrivate { path: path.to_owned(), why });
    if metadata.uid() != geteuid().as_raw() {
        return not_private("it belongs to another user");
    }
    if !metadata.is_file() {
        return not_private("it is not a regular file");
    }
    if metadata.mode() & 0o077 != 0 {
        let owner_only = Permissions::from_mode(0o600);
        file.set_permissions(owner_only).map_err(|error| StoreError::io("set the mode of", path, error))?;
    }
    Ok(())
}

/// Checks that no other user can put a file into the folder.
pub(super) fn check_folder(folder: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(folder).map_err(|error| StoreError::io("look at", folder, error))?;
    let not_private = |why| Err(StoreError::NotPrivate { path: folder.to_owned(), why });
    if metadata.uid() != geteuid().as_raw() {
        return not_private("the folder belongs to another user");
    }
    if metadata.mode() & 0o022 != 0 {
        return not_private("other users can write in the folder; change that with `chmod go-w`");
    }
    Ok(())
}
