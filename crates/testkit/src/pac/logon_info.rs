//! KERB_VALIDATION_INFO (MS-PAC §2.5).

use super::buffers::file_time;
use super::ndr::Writer;
use crate::NOW;

/// A time that never comes.
const NEVER: u64 = 0x7fff_ffff_ffff_ffff;
/// Mandatory, enabled by default, enabled.
const ENABLED: u32 = 7;
/// ExtraSids are there.
const EXTRA_SIDS: u32 = 0x20;
/// Resource groups are there.
const RESOURCE_GROUPS: u32 = 0x200;

/// A group: its RID and its attributes.
pub type Group = (u32, u32);

/// KERB_VALIDATION_INFO, every field of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacLogonInfo {
    /// LogonTime, LogoffTime, KickOffTime, PasswordLastSet, PasswordCanChange, PasswordMustChange.
    pub times: [u64; 6],
    /// EffectiveName: the account.
    pub account: String,
    /// FullName.
    pub full_name: String,
    /// LogonScript.
    pub logon_script: String,
    /// ProfilePath.
    pub profile_path: String,
    /// HomeDirectory.
    pub home_directory: String,
    /// HomeDirectoryDrive.
    pub home_directory_drive: String,
    /// LogonCount and BadPasswordCount.
    pub counts: (u16, u16),
    /// UserId.
    pub rid: u32,
    /// PrimaryGroupId.
    pub primary_group: u32,
    /// GroupIds.
    pub groups: Vec<Group>,
    /// UserFlags; the bits that announce extra SIDs and resource groups are set by themselves.
    pub user_flags: u32,
    /// UserSessionKey.
    pub session_key: [u8; 16],
    /// LogonServer.
    pub server: String,
    /// LogonDomainName.
    pub domain: String,
    /// LogonDomainId.
    pub domain_sid: Option<String>,
    /// UserAccountControl.
    pub account_control: u32,
    /// ExtraSids and their attributes.
    pub extra_sids: Vec<(String, u32)>,
    /// ResourceGroupDomainSid.
    pub resource_domain_sid: Option<String>,
    /// ResourceGroupIds.
    pub resource_groups: Vec<Group>,
    /// GroupCount, where it is to lie.
    pub group_count: Option<u32>,
    /// SidCount, where it is to lie.
    pub sid_count: Option<u32>,
    /// ResourceGroupCount, where it is to lie.
    pub resource_group_count: Option<u32>,
}

impl PacLogonInfo {
    /// A user of a domain (its NetBIOS name and its SID), in the group of the domain's users.
    #[must_use]
    pub fn new(account: &str, domain: &str, domain_sid: &str, rid: u32) -> Self {
        let logon = file_time(NOW);
        Self {
            times: [logon, NEVER, NEVER, logon, logon, NEVER],
            account: account.into(),
            full_name: String::new(),
            logon_script: String::new(),
            profile_path: String::new(),
            home_directory: String::new(),
            home_directory_drive: String::new(),
            counts: (1, 0),
            rid,
            primary_group: 513,
            groups: vec![(513, ENABLED)],
            user_flags: 0,
            session_key: [0; 16],
            server: "DC1".into(),
            domain: domain.into(),
            domain_sid: Some(domain_sid.into()),
            account_control: 0x10,
            // The KDC saw the client prove its identity.
            extra_sids: vec![("S-1-18-1".into(), ENABLED)],
            resource_domain_sid: None,
            resource_groups: Vec::new(),
            group_count: None,
            sid_count: None,
            resource_group_count: None,
        }
    }

    /// One more group that counts: among the domain's groups if it is of the domain, else among the extra ones.
    #[must_use]
    pub fn group(self, sid: &str) -> Self {
        self.group_with(sid, ENABLED)
    }

    /// One more group with attributes.
    #[must_use]
    pub fn group_with(mut self, sid: &str, attributes: u32) -> Self {
        let of_domain = sid.rsplit_once('-').and_then(|(domain, rid)| {
            let ours = Some(domain) == self.domain_sid.as_deref();
            rid.parse().ok().filter(|_| ours)
        });
        match of_domain {
            Some(rid) => self.groups.push((rid, attributes)),
            None => self.extra_sids.push((sid.into(), attributes)),
        }
        self
    }

    /// One more group of the service's domain.
    #[must_use]
    pub fn resource_group(mut self, domain: &str, rid: u32, attributes: u32) -> Self {
        self.resource_domain_sid = Some(domain.into());
        self.resource_groups.push((rid, attributes));
        self
    }

    /// The buffer.
    #[must_use]
    pub fn to_ndr(&self) -> Vec<u8> {
        let mut out = Writer::default();
        for time in self.times {
            out.bytes(&time.to_le_bytes());
        }
        for text in [
            &self.account,
            &self.full_name,
            &self.logon_script,
            &self.profile_path,
            &self.home_directory,
            &self.home_directory_drive,
        ] {
            out.string(text);
        }
        out.u16(self.counts.0);
        out.u16(self.counts.1);
        out.u32(self.rid);
        out.u32(self.primary_group);
        out.pairs(self.group_count, &self.groups);
        let announced = |any: bool, bit| if any { bit } else { 0 };
        out.u32(
            self.user_flags
                | announced(!self.extra_sids.is_empty(), EXTRA_SIDS)
                | announced(!self.resource_groups.is_empty(), RESOURCE_GROUPS),
        );
        out.bytes(&self.session_key);
        out.string_with_room(&self.server, 1);
        out.string_with_room(&self.domain, 1);
        out.sid(self.domain_sid.as_deref());
        out.bytes(&[0; 8]);
        out.u32(self.account_control);
        // SubAuthStatus, two times, FailedILogonCount, Reserved3.
        out.bytes(&[0; 28]);
        out.sids(self.sid_count, &self.extra_sids);
        out.sid(self.resource_domain_sid.as_deref());
        out.pairs(self.resource_group_count, &self.resource_groups);
        out.finish()
    }
}
