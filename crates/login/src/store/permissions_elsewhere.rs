//! The permissions of files and folders on a system without file modes. The folder of a user's profile is private there by
//! its own access rules, which this module does not change.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::error::StoreError;

pub(super) fn options() -> OpenOptions {
    OpenOptions::new()
}

pub(super) fn set_owner_only(_: &File, _: &Path) -> Result<(), StoreError> {
    Ok(())
}

pub(super) fn file_number(_: &Metadata) -> u64 {
    0
}

pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir(folder)
}

pub(super) fn make_private(_: &File, _: &Path) -> Result<(), StoreError> {
    Ok(())
}

pub(super) fn check_folder(_: &Path) -> Result<(), StoreError> {
    Ok(())
}
