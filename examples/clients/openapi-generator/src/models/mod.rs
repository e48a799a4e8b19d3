pub mod report;
pub use self::report::Report;
