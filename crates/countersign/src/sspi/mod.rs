//! The face of `sspi.h`.
