//! The flags of `sspi.h`: what is asked of a context, and what is granted to it.
//!
//! What each does with each package is in [`ISC_RULES`](super::ISC_RULES) and
//! [`ASC_RULES`](super::ASC_RULES).

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub const $name: u32 = $value;)*
    };
}

flags! {
    /// The server may act for the client elsewhere.
    ISC_REQ_DELEGATE = 0x0000_0001;
    /// The server proves who it is too.
    ISC_REQ_MUTUAL_AUTH = 0x0000_0002;
    /// Replayed messages are detected.
    ISC_REQ_REPLAY_DETECT = 0x0000_0004;
    /// Messages out of sequence are detected.
    ISC_REQ_SEQUENCE_DETECT = 0x0000_0008;
    /// Messages can be encrypted.
    ISC_REQ_CONFIDENTIALITY = 0x0000_0010;
    /// A new session key: user-to-user authentication.
    ISC_REQ_USE_SESSION_KEY = 0x0000_0020;
    /// The package asks the user for credentials.
    ISC_REQ_PROMPT_FOR_CREDS = 0x0000_0040;
    /// Credentials are in the input buffer.
    ISC_REQ_USE_SUPPLIED_CREDS = 0x0000_0080;
    /// The package allocates the output token.
    ISC_REQ_ALLOCATE_MEMORY = 0x0000_0100;
    /// Three legs, as DCE RPC has them.
    ISC_REQ_USE_DCE_STYLE = 0x0000_0200;
    /// Messages are datagrams.
    ISC_REQ_DATAGRAM = 0x0000_0400;
    /// Messages are on a connection.
    ISC_REQ_CONNECTION = 0x0000_0800;
    /// Reserved.
    ISC_REQ_CALL_LEVEL = 0x0000_1000;
    /// The input is a fragment.
    ISC_REQ_FRAGMENT_SUPPLIED = 0x0000_2000;
    /// Errors are told to the peer.
    ISC_REQ_EXTENDED_ERROR = 0x0000_4000;
    /// Messages are on a stream.
    ISC_REQ_STREAM = 0x0000_8000;
    /// Messages can be signed.
    ISC_REQ_INTEGRITY = 0x0001_0000;
    /// The server may identify the client and not act for it.
    ISC_REQ_IDENTIFY = 0x0002_0000;
    /// The client is nobody.
    ISC_REQ_NULL_SESSION = 0x0004_0000;
    /// The caller looks at the server's certificate itself.
    ISC_REQ_MANUAL_CRED_VALIDATION = 0x0008_0000;
    /// Reserved.
    ISC_REQ_RESERVED1 = 0x0010_0000;
    /// Tokens are cut to fit.
    ISC_REQ_FRAGMENT_TO_FIT = 0x0020_0000;
    /// Credentials are forwarded (CredSSP).
    ISC_REQ_FORWARD_CREDENTIALS = 0x0040_0000;
    /// Integrity is not wanted, whatever else asks for it.
    ISC_REQ_NO_INTEGRITY = 0x0080_0000;
    /// Tokens of HTTP (Digest).
    ISC_REQ_USE_HTTP_STYLE = 0x0100_0000;
    /// The target's name is of an untrusted source.
    ISC_REQ_UNVERIFIED_TARGET_NAME = 0x2000_0000;
    /// Messages are encrypted without the header.
    ISC_REQ_CONFIDENTIALITY_ONLY = 0x4000_0000;
}

flags! {
    /// The server may act for the client elsewhere.
    ISC_RET_DELEGATE = 0x0000_0001;
    /// The server proves who it is too.
    ISC_RET_MUTUAL_AUTH = 0x0000_0002;
    /// Replayed messages are detected.
    ISC_RET_REPLAY_DETECT = 0x0000_0004;
    /// Messages out of sequence are detected.
    ISC_RET_SEQUENCE_DETECT = 0x0000_0008;
    /// Messages can be encrypted.
    ISC_RET_CONFIDENTIALITY = 0x0000_0010;
    /// A new session key: user-to-user authentication.
    ISC_RET_USE_SESSION_KEY = 0x0000_0020;
    /// The user was asked for credentials.
    ISC_RET_USED_COLLECTED_CREDS = 0x0000_0040;
    /// Credentials of the input buffer were used.
    ISC_RET_USED_SUPPLIED_CREDS = 0x0000_0080;
    /// The output token was allocated.
    ISC_RET_ALLOCATED_MEMORY = 0x0000_0100;
    /// Three legs, as DCE RPC has them.
    ISC_RET_USED_DCE_STYLE = 0x0000_0200;
    /// Messages are datagrams.
    ISC_RET_DATAGRAM = 0x0000_0400;
    /// Messages are on a connection.
    ISC_RET_CONNECTION = 0x0000_0800;
    /// More is to come from the package.
    ISC_RET_INTERMEDIATE_RETURN = 0x0000_1000;
    /// Reserved.
    ISC_RET_CALL_LEVEL = 0x0000_2000;
    /// Errors are told to the peer.
    ISC_RET_EXTENDED_ERROR = 0x0000_4000;
    /// Messages are on a stream.
    ISC_RET_STREAM = 0x0000_8000;
    /// Messages can be signed.
    ISC_RET_INTEGRITY = 0x0001_0000;
    /// The server may identify the client and not act for it.
    ISC_RET_IDENTIFY = 0x0002_0000;
    /// The client is nobody.
    ISC_RET_NULL_SESSION = 0x0004_0000;
    /// The caller looks at the server's certificate itself.
    ISC_RET_MANUAL_CRED_VALIDATION = 0x0008_0000;
    /// Reserved.
    ISC_RET_RESERVED1 = 0x0010_0000;
    /// The output is a fragment.
    ISC_RET_FRAGMENT_ONLY = 0x0020_0000;
    /// Credentials are forwarded (CredSSP).
    ISC_RET_FORWARD_CREDENTIALS = 0x0040_0000;
    /// Tokens of HTTP (Digest).
    ISC_RET_USED_HTTP_STYLE = 0x0100_0000;
    /// Internal.
    ISC_RET_NO_ADDITIONAL_TOKEN = 0x0200_0000;
    /// Internal.
    ISC_RET_REAUTHENTICATION = 0x0800_0000;
    /// Messages are encrypted without the header.
    ISC_RET_CONFIDENTIALITY_ONLY = 0x4000_0000;
}

flags! {
    /// The server may act for the client elsewhere.
    ASC_REQ_DELEGATE = 0x0000_0001;
    /// The server proves who it is too.
    ASC_REQ_MUTUAL_AUTH = 0x0000_0002;
    /// Replayed messages are detected.
    ASC_REQ_REPLAY_DETECT = 0x0000_0004;
    /// Messages out of sequence are detected.
    ASC_REQ_SEQUENCE_DETECT = 0x0000_0008;
    /// Messages can be encrypted.
    ASC_REQ_CONFIDENTIALITY = 0x0000_0010;
    /// User-to-user authentication.
    ASC_REQ_USE_SESSION_KEY = 0x0000_0020;
    /// Session tickets (Schannel).
    ASC_REQ_SESSION_TICKET = 0x0000_0040;
    /// The package allocates the output token.
    ASC_REQ_ALLOCATE_MEMORY = 0x0000_0100;
    /// Three legs, as DCE RPC has them.
    ASC_REQ_USE_DCE_STYLE = 0x0000_0200;
    /// Messages are datagrams.
    ASC_REQ_DATAGRAM = 0x0000_0400;
    /// Messages are on a connection.
    ASC_REQ_CONNECTION = 0x0000_0800;
    /// Reserved.
    ASC_REQ_CALL_LEVEL = 0x0000_1000;
    /// The input is a fragment.
    ASC_REQ_FRAGMENT_SUPPLIED = 0x0000_2000;
    /// Errors are told to the peer.
    ASC_REQ_EXTENDED_ERROR = 0x0000_8000;
    /// Messages are on a stream.
    ASC_REQ_STREAM = 0x0001_0000;
    /// Messages can be signed.
    ASC_REQ_INTEGRITY = 0x0002_0000;
    /// Reserved.
    ASC_REQ_LICENSING = 0x0004_0000;
    /// The server identifies the client and does not act for it.
    ASC_REQ_IDENTIFY = 0x0008_0000;
    /// The client may be nobody.
    ASC_REQ_ALLOW_NULL_SESSION = 0x0010_0000;
    /// The client may be another than a user.
    ASC_REQ_ALLOW_NON_USER_LOGONS = 0x0020_0000;
    /// First tokens may be replayed.
    ASC_REQ_ALLOW_CONTEXT_REPLAY = 0x0040_0000;
    /// Tokens are cut to fit.
    ASC_REQ_FRAGMENT_TO_FIT = 0x0080_0000;
    /// No access token is made.
    ASC_REQ_NO_TOKEN = 0x0100_0000;
    /// Channel bindings are those of a proxy (Digest).
    ASC_REQ_PROXY_BINDINGS = 0x0400_0000;
    /// The client may send no channel bindings.
    ASC_REQ_ALLOW_MISSING_BINDINGS = 0x1000_0000;
}

/// As `sspi.h` has it: the value of [`ASC_REQ_ALLOW_MISSING_BINDINGS`] with Digest for HTTP.
pub const ASC_REQ_HTTP: u32 = 0x1000_0000;

flags! {
    /// The server may act for the client elsewhere.
    ASC_RET_DELEGATE = 0x0000_0001;
    /// The server proves who it is too.
    ASC_RET_MUTUAL_AUTH = 0x0000_0002;
    /// Replayed messages are detected.
    ASC_RET_REPLAY_DETECT = 0x0000_0004;
    /// Messages out of sequence are detected.
    ASC_RET_SEQUENCE_DETECT = 0x0000_0008;
    /// Messages can be encrypted.
    ASC_RET_CONFIDENTIALITY = 0x0000_0010;
    /// User-to-user authentication.
    ASC_RET_USE_SESSION_KEY = 0x0000_0020;
    /// Session tickets (Schannel).
    ASC_RET_SESSION_TICKET = 0x0000_0040;
    /// The output token was allocated.
    ASC_RET_ALLOCATED_MEMORY = 0x0000_0100;
    /// Three legs, as DCE RPC has them.
    ASC_RET_USED_DCE_STYLE = 0x0000_0200;
    /// Messages are datagrams.
    ASC_RET_DATAGRAM = 0x0000_0400;
    /// Messages are on a connection.
    ASC_RET_CONNECTION = 0x0000_0800;
    /// Reserved.
    ASC_RET_CALL_LEVEL = 0x0000_2000;
    /// The third leg failed.
    ASC_RET_THIRD_LEG_FAILED = 0x0000_4000;
    /// Errors are told to the peer.
    ASC_RET_EXTENDED_ERROR = 0x0000_8000;
    /// Messages are on a stream.
    ASC_RET_STREAM = 0x0001_0000;
    /// Messages can be signed.
    ASC_RET_INTEGRITY = 0x0002_0000;
    /// Reserved.
    ASC_RET_LICENSING = 0x0004_0000;
    /// The server identifies the client and does not act for it.
    ASC_RET_IDENTIFY = 0x0008_0000;
    /// The client is nobody.
    ASC_RET_NULL_SESSION = 0x0010_0000;
    /// The client may be another than a user.
    ASC_RET_ALLOW_NON_USER_LOGONS = 0x0020_0000;
    /// First tokens may be replayed.
    ASC_RET_ALLOW_CONTEXT_REPLAY = 0x0040_0000;
    /// The output is a fragment.
    ASC_RET_FRAGMENT_ONLY = 0x0080_0000;
    /// No access token is made.
    ASC_RET_NO_TOKEN = 0x0100_0000;
    /// Internal.
    ASC_RET_NO_ADDITIONAL_TOKEN = 0x0200_0000;
}

/// Byte order of this machine.
pub const SECURITY_NATIVE_DREP: u32 = 0x0000_0010;
/// Byte order of the network.
pub const SECURITY_NETWORK_DREP: u32 = 0x0000_0000;
