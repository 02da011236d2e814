//! What a TGS exchange is for.

use std::sync::Arc;

use countersign_credential::{NameType, Principal, TicketCredential};
use countersign_token::kerberos::KdcOptions;

use crate::error::{ErrorKind, KdcProblem};
use crate::kerberos::kdc::padata::OwnedPaData;
use crate::kerberos::kdc::s4u;
use crate::kerberos::kdc::tgs_request::Sealed;

use super::walk::{Walk, realm_of};

/// What the last request asks for.
#[derive(Debug)]
pub(super) enum Goal {
    /// A ticket for a service.
    Service {
        service: Principal,
        flags: KdcOptions,
        /// User-to-user: whose session key the ticket is to be encrypted in.
        second: Option<Arc<TicketCredential>>,
    },
    /// The header ticket itself: RENEW or VALIDATE.
    Again(KdcOptions),
    /// A user's ticket for the service that asks (MS-SFU §3.1.5.1).
    OnBehalf { service: Principal, user: Principal },
    /// A user's ticket for another service (MS-SFU §3.1.5.2).
    Proxy {
        service: Principal,
        evidence: Arc<TicketCredential>,
    },
}

/// What the goal puts into the request's body.
pub(super) struct GoalRequest {
    pub(super) service: Principal,
    pub(super) flags: KdcOptions,
    pub(super) additional: Option<Vec<u8>>,
}

impl Goal {
    /// The request at the realm where the walk is.
    pub(super) fn asked(&self, walk: &Walk) -> GoalRequest {
        let realm = walk.realm();
        match self {
            Self::Service {
                service,
                flags,
                second,
            } => GoalRequest {
                service: service.with_realm(realm),
                flags: *flags,
                additional: second.as_ref().map(|second| second.ticket.clone()),
            },
            Self::Again(flags) => GoalRequest {
                service: walk.header().server.clone(),
                flags: *flags,
                additional: None,
            },
            // MS-SFU §3.1.5.1.1.2: in a realm that is not the service's own, the service is named
            // with its realm, as a principal that the KDC there refers home.
            Self::OnBehalf { service, .. } => GoalRequest {
                service: match service.realm() == realm {
                    true => service.clone(),
                    false => Principal::new(realm, [service.to_text()], NameType::ENTERPRISE),
                },
                flags: KdcOptions::CANONICALIZE,
                additional: None,
            },
            Self::Proxy { service, evidence } => GoalRequest {
                service: service.with_realm(realm),
                flags: KdcOptions::CNAME_IN_ADDL_TKT | KdcOptions::CANONICALIZE,
                additional: Some(evidence.ticket.clone()),
            },
        }
    }

    /// The padata that the goal needs beside PA-TGS-REQ.
    pub(super) fn padata(
        &self,
        header: &TicketCredential,
        sealed: &Sealed,
    ) -> Result<Vec<OwnedPaData>, ErrorKind> {
        match self {
            Self::OnBehalf { user, .. } => s4u::user_padata(user, header, sealed),
            Self::Proxy { .. } => Ok(vec![s4u::resource_based_delegation()]),
            Self::Service { .. } | Self::Again(_) => Ok(Vec::new()),
        }
    }

    /// Who the ticket of the last request is for; S4U2self has to learn it from the reply.
    pub(super) fn client<'a>(&'a self, header: &'a TicketCredential) -> &'a Principal {
        match self {
            Self::Service { .. } | Self::Again(_) => &header.client,
            Self::OnBehalf { user, .. } => user,
            Self::Proxy { evidence, .. } => &evidence.client,
        }
    }

    /// Whether a reply is the end: what was asked for, or its canonical name in the same realm.
    pub(super) fn is_reached_by(&self, asked: &Principal, server: &Principal) -> bool {
        match self {
            Self::OnBehalf { service, .. } => server == service,
            _ => server == asked,
        }
    }

    /// Follows a referral: the ticket is for another realm's ticket-granting service.
    pub(super) fn referred(
        &mut self,
        walk: &mut Walk,
        referral: Arc<TicketCredential>,
    ) -> Result<(), ErrorKind> {
        match self {
            Self::Service { .. } => walk.arrive(referral),
            // The referral holds the user's authorization data: it is nobody's to be used again.
            Self::OnBehalf { .. } => walk.enter(referral),
            // MS-SFU §3.1.5.2.2: the referral is the evidence in the next realm, where the service
            // needs a ticket-granting ticket of its own.
            Self::Proxy { evidence, .. } => {
                let realm = realm_of(&referral).to_vec();
                walk.count_hop(&realm)?;
                *evidence = referral;
                walk.turn_to(&realm);
                Ok(())
            }
            Self::Again(_) => Err(ErrorKind::Kdc(KdcProblem::ReferralRefused)),
        }
    }
}
