//! The face of RFC 2743 and RFC 2744.
