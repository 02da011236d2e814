//! The rows.

mod caches;
mod context;
mod length;
mod profile;
mod realm;
mod replay;
mod sample;

use crate::row::Row;

/// Every row, in the order in which they run: controls before what they control.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(sample::rows());
    rows.extend(length::rows());
    rows.extend(context::rows());
    rows.extend(realm::rows());
    rows.extend(profile::rows());
    rows.extend(caches::rows());
    rows.extend(replay::rows());
    rows
}
