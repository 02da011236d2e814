//! The SASL mechanism `GSSAPI` on top of an established context: RFC 4752 §3.1 and §3.2.
//!
//! ```text
//!   client                                              server
//!     … init_sec_context, accept_sec_context, both complete …
//!     (an empty message, where the server spoke last)  ──▶
//!                                      ◀── server_offer: layers, its maximum size
//!     client_choose: a layer, its maximum size, whom to be ──▶ server_accept
//!     … messages, wrapped as the layer says …
//! ```
//!
//! Each message is the plaintext of a signed token, not a sealed one:
//!
//! ```text
//! layers or layer, 1 byte | maximum size, 3 bytes, big-endian | authorization identity, UTF-8
//! ```

use super::context::{Context, unwrap, wrap, wrap_size_limit};
use super::error::{GssError, Problem};
use crate::Flags;

/// A security layer (RFC 4752 §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Layer {
    /// Messages are not protected.
    None = 1,
    /// Messages are signed.
    Integrity = 2,
    /// Messages are sealed.
    Confidentiality = 4,
}

/// Layers that a side can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layers(u8);

impl Layers {
    /// All three.
    pub const ALL: Self = Self(7);
    /// None at all.
    pub const EMPTY: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub const fn with(self, layer: Layer) -> Self {
        Self(self.0 | layer as u8)
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn contains(self, layer: Layer) -> bool {
        self.0 & layer as u8 != 0
    }

    /// Of these, those that the context can do.
    fn within(self, context: &Context) -> Result<Self, GssError> {
        let granted = context.engine()?.flags();
        let mut can = Self::EMPTY.with(Layer::None);
        if granted.contains(Flags::INTEGRITY) {
            can = can.with(Layer::Integrity);
        }
        if granted.contains(Flags::CONFIDENTIALITY) {
            can = can.with(Layer::Confidentiality);
        }
        Ok(Self(self.0 & can.0))
    }

    fn strongest(self) -> Option<Layer> {
        [Layer::Confidentiality, Layer::Integrity, Layer::None]
            .into_iter()
            .find(|layer| self.contains(*layer))
    }
}

/// The longest size that three bytes hold.
const LARGEST: u32 = 0x00ff_ffff;

/// What both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// How messages are protected from now on.
    pub layer: Layer,
    /// How long a message may be before it is wrapped, so that the peer takes its token; 0 without a
    /// layer, where nothing is wrapped.
    pub max_message: usize,
    /// Whom the client wants to act as; `None` for itself. Whether it may is for the server to
    /// decide.
    pub authorization: Option<String>,
}

fn message(first: u8, size: u32, text: &str) -> Vec<u8> {
    let [_, size @ ..] = size.min(LARGEST).to_be_bytes();
    let mut out = vec![first];
    out.extend_from_slice(&size);
    out.extend_from_slice(text.as_bytes());
    out
}

/// The token's message: its first byte, the size, the rest. RFC 4752 §3.1 and §3.2 have it signed.
fn read(context: &mut Context, token: &[u8]) -> Result<(u8, usize, Vec<u8>), GssError> {
    let plaintext = unwrap(context, token)?.in_order()?;
    let (head, rest) = plaintext.split_first_chunk().ok_or(Problem::SaslMessage)?;
    let [first, a, b, c] = *head;
    let size = u32::from_be_bytes([0, a, b, c]);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Ok((first, size, rest.to_vec()))
}

fn agreed(
    context: &Context,
    layer: Layer,
    peers_size: usize,
    authorization: Option<String>,
) -> Result<Agreed, GssError> {
    let max_message = match layer {
        Layer::None => 0,
        layer => wrap_size_limit(context, layer == Layer::Confidentiality, 0, peers_size)?,
    };
    Ok(Agreed {
        layer,
        max_message,
        authorization,
    })
}

/// The server's offer: these layers, as far as the context can do them, and tokens of at most
/// `max_size` bytes.
///
/// # Errors
/// `GSS_S_NO_CONTEXT`; `GSS_S_BAD_QOP` where the context can do none of the layers.
pub fn server_offer(
    context: &mut Context,
    layers: Layers,
    max_size: u32,
) -> Result<Vec<u8>, GssError> {
    let layers = layers.within(context)?;
    let strongest = layers.strongest().ok_or(Problem::SaslLayer)?;
    // RFC 4752 §3.2: without a layer nothing is received in tokens.
    let size = if strongest == Layer::None {
        0
    } else {
        max_size
    };
    Ok(wrap(context, false, 0, &message(layers.0, size, ""))?.token)
}

/// The client's choice: the strongest of the server's layers that is among `layers`, tokens of at most
/// `max_size` bytes, and whom to act as.
///
/// # Errors
/// As [`unwrap`]; `GSS_S_DEFECTIVE_TOKEN` for what is no offer; `GSS_S_BAD_QOP` where no layer is left.
pub fn client_choose(
    context: &mut Context,
    offer: &[u8],
    layers: Layers,
    max_size: u32,
    authorization: Option<&str>,
) -> Result<(Vec<u8>, Agreed), GssError> {
    let (offered, size, rest) = read(context, offer)?;
    if !rest.is_empty() {
        return Err(Problem::SaslMessage.into());
    }
    let both = Layers(offered & layers.0).within(context)?;
    let layer = both.strongest().ok_or(Problem::SaslLayer)?;
    let own = if layer == Layer::None { 0 } else { max_size };
    let text = authorization.unwrap_or_default();
    let token = wrap(context, false, 0, &message(layer as u8, own, text))?.token;
    let agreed = agreed(context, layer, size, authorization.map(str::to_owned))?;
    Ok((token, agreed))
}

/// What the client chose of the server's `layers`, those of [`server_offer`].
///
/// # Errors
/// As [`unwrap`]; `GSS_S_DEFECTIVE_TOKEN` for what is no choice; `GSS_S_BAD_QOP` for a layer that was
/// not offered.
pub fn server_accept(
    context: &mut Context,
    choice: &[u8],
    layers: Layers,
) -> Result<Agreed, GssError> {
    let (chosen, size, rest) = read(context, choice)?;
    let offered = layers.within(context)?;
    let layer = [Layer::None, Layer::Integrity, Layer::Confidentiality]
        .into_iter()
        .find(|layer| *layer as u8 == chosen)
        .filter(|layer| offered.contains(*layer))
        .ok_or(Problem::SaslLayer)?;
    // RFC 4752 §3.1: without a layer the client's size is zero.
    if layer == Layer::None && size != 0 {
        return Err(Problem::SaslMessage.into());
    }
    let text = String::from_utf8(rest).map_err(|_| Problem::SaslMessage)?;
    agreed(
        context,
        layer,
        size,
        Some(text).filter(|text| !text.is_empty()),
    )
}
