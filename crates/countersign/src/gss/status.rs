//! Texts of statuses.
