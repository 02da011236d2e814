use crate::kerberos::flags::{flags, kerberos_flags};

flags! {
    /// What the initiator asks of the mechanism: to be left out, and ignored where it is there,
    /// since nothing protects it.
    ///
    /// Source: RFC 4178 §4.2.1, MS-SPNG §3.1.5.3. RFC 2478 had no fixed size for it; shorter and
    /// longer ones are read as a `KerberosFlags` is (see docs/TOLERANCES.md).
    pub struct ContextFlags {
        /// Credentials are to be delegated.
        DELEG = 0,
        /// The acceptor is to prove its identity too.
        MUTUAL = 1,
        /// Replayed messages are to be detected.
        REPLAY = 2,
        /// Messages out of order are to be detected.
        SEQUENCE = 3,
        /// The initiator is to stay anonymous.
        ANON = 4,
        /// Messages are to be sealed.
        CONF = 5,
        /// Messages are to be signed.
        INTEG = 6,
    }
}

kerberos_flags!(ContextFlags);
