use core::fmt;

use super::cursor::Cursor;
use super::ndr::{Pointer, Reader};
use super::{ExtraSids, FileTime, GroupMemberships, Sid, Utf16};
use crate::error::DecodeError;

/// What the domain knows of the client.
///
/// ```text
/// typedef struct _KERB_VALIDATION_INFO {
///     FILETIME LogonTime;
///     FILETIME LogoffTime;
///     FILETIME KickOffTime;
///     FILETIME PasswordLastSet;
///     FILETIME PasswordCanChange;
///     FILETIME PasswordMustChange;
///     RPC_UNICODE_STRING EffectiveName;
///     RPC_UNICODE_STRING FullName;
///     RPC_UNICODE_STRING LogonScript;
///     RPC_UNICODE_STRING ProfilePath;
///     RPC_UNICODE_STRING HomeDirectory;
///     RPC_UNICODE_STRING HomeDirectoryDrive;
///     USHORT LogonCount;
///     USHORT BadPasswordCount;
///     ULONG UserId;
///     ULONG PrimaryGroupId;
///     ULONG GroupCount;
///     [size_is(GroupCount)] PGROUP_MEMBERSHIP GroupIds;
///     ULONG UserFlags;
///     USER_SESSION_KEY UserSessionKey;
///     RPC_UNICODE_STRING LogonServer;
///     RPC_UNICODE_STRING LogonDomainName;
///     PISID LogonDomainId;
///     ULONG Reserved1[2];
///     ULONG UserAccountControl;
///     ULONG SubAuthStatus;
///     FILETIME LastSuccessfulILogon;
///     FILETIME LastFailedILogon;
///     ULONG FailedILogonCount;
///     ULONG Reserved3;
///     ULONG SidCount;
///     [size_is(SidCount)] PKERB_SID_AND_ATTRIBUTES ExtraSids;
///     PISID ResourceGroupDomainSid;
///     ULONG ResourceGroupCount;
///     [size_is(ResourceGroupCount)] PGROUP_MEMBERSHIP ResourceGroupIds;
/// } KERB_VALIDATION_INFO;
/// ```
///
/// Source: MS-PAC §2.5.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LogonInfo<'a> {
    /// When the client last logged on.
    pub logon_time: FileTime,
    /// When its session should end.
    pub logoff_time: FileTime,
    /// When it should be thrown out.
    pub kick_off_time: FileTime,
    /// When its password was last set.
    pub password_last_set: FileTime,
    /// When its password may be changed.
    pub password_can_change: FileTime,
    /// When its password expires.
    pub password_must_change: FileTime,
    /// The account's name (sAMAccountName).
    pub effective_name: Utf16<'a>,
    /// The person's name.
    pub full_name: Utf16<'a>,
    /// The path of the logon script.
    pub logon_script: Utf16<'a>,
    /// The path of the profile.
    pub profile_path: Utf16<'a>,
    /// The path of the home directory.
    pub home_directory: Utf16<'a>,
    /// The drive of the home directory.
    pub home_directory_drive: Utf16<'a>,
    /// How often the client has logged on.
    pub logon_count: u16,
    /// How often it has failed to.
    pub bad_password_count: u16,
    /// The account's RID; zero when its SID is the first of the extra ones.
    pub user_id: u32,
    /// The RID of the account's primary group.
    pub primary_group_id: u32,
    /// Groups of the account's domain.
    pub group_ids: GroupMemberships<'a>,
    /// How the client logged on, and which fields mean something.
    pub user_flags: UserFlags,
    /// The NetBIOS name of the domain controller.
    pub logon_server: Utf16<'a>,
    /// The NetBIOS name of the account's domain.
    pub logon_domain_name: Utf16<'a>,
    /// The account's domain.
    pub logon_domain_id: Option<Sid>,
    /// `USER_…` bits of the account.
    pub user_account_control: u32,
    /// The status of a subauthentication package.
    pub sub_auth_status: u32,
    /// The last interactive logon.
    pub last_successful_interactive_logon: FileTime,
    /// The last interactive logon that failed.
    pub last_failed_interactive_logon: FileTime,
    /// How many have failed since the last that did not.
    pub failed_interactive_logon_count: u32,
    /// Groups of other domains; they mean something where [`UserFlags::EXTRA_SIDS`] is set.
    pub extra_sids: ExtraSids<'a>,
    /// The domain of the service.
    pub resource_group_domain_sid: Option<Sid>,
    /// Groups of the service's domain; they mean something where [`UserFlags::RESOURCE_GROUPS`] is
    /// set.
    pub resource_group_ids: GroupMemberships<'a>,
}

/// `UserFlags` of MS-PAC §2.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserFlags(pub u32);

impl UserFlags {
    /// A guest, whoever it said it was.
    pub const GUEST: Self = Self(0x1);
    /// Bit D: `ExtraSids` means something.
    pub const EXTRA_SIDS: Self = Self(0x20);
    /// Bit H: the resource groups mean something.
    pub const RESOURCE_GROUPS: Self = Self(0x200);

    /// Whether all of these are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The fixed part's FILETIME.
fn time(reader: &mut Reader<'_>) -> Result<FileTime, DecodeError> {
    reader.fixed().map(FileTime::from_le_bytes)
}

fn sid(reader: &mut Reader<'_>, pointer: Pointer) -> Result<Option<Sid>, DecodeError> {
    if pointer.null {
        Ok(None)
    } else {
        reader.sid().map(Some)
    }
}

impl<'a> LogonInfo<'a> {
    pub(super) fn read(cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let reader = &mut Reader::open(cursor)?;
        let logon_time = time(reader)?;
        let logoff_time = time(reader)?;
        let kick_off_time = time(reader)?;
        let password_last_set = time(reader)?;
        let password_can_change = time(reader)?;
        let password_must_change = time(reader)?;
        let effective_name = reader.string_head()?;
        let full_name = reader.string_head()?;
        let logon_script = reader.string_head()?;
        let profile_path = reader.string_head()?;
        let home_directory = reader.string_head()?;
        let home_directory_drive = reader.string_head()?;
        let logon_count = reader.u16()?;
        let bad_password_count = reader.u16()?;
        let user_id = reader.u32()?;
        let primary_group_id = reader.u32()?;
        let group_count = reader.u32()?;
        let group_ids = reader.pointer()?;
        let user_flags = UserFlags(reader.u32()?);
        // UserSessionKey: zero in Kerberos, and a secret elsewhere.
        reader.fixed::<16>()?;
        let logon_server = reader.string_head()?;
        let logon_domain_name = reader.string_head()?;
        let logon_domain_id = reader.pointer()?;
        reader.fixed::<8>()?;
        let user_account_control = reader.u32()?;
        let sub_auth_status = reader.u32()?;
        let last_successful_interactive_logon = time(reader)?;
        let last_failed_interactive_logon = time(reader)?;
        let failed_interactive_logon_count = reader.u32()?;
        reader.u32()?;
        let sid_count = reader.u32()?;
        let extra_sids = reader.pointer()?;
        let resource_group_domain_sid = reader.pointer()?;
        let resource_group_count = reader.u32()?;
        let resource_group_ids = reader.pointer()?;
        // In the order of the pointers: evaluated from top to bottom.
        let info = Self {
            effective_name: reader.string(effective_name)?,
            full_name: reader.string(full_name)?,
            logon_script: reader.string(logon_script)?,
            profile_path: reader.string(profile_path)?,
            home_directory: reader.string(home_directory)?,
            home_directory_drive: reader.string(home_directory_drive)?,
            group_ids: GroupMemberships::read(reader, group_ids, group_count)?,
            logon_server: reader.string(logon_server)?,
            logon_domain_name: reader.string(logon_domain_name)?,
            logon_domain_id: sid(reader, logon_domain_id)?,
            extra_sids: ExtraSids::read(reader, extra_sids, sid_count)?,
            resource_group_domain_sid: sid(reader, resource_group_domain_sid)?,
            resource_group_ids: GroupMemberships::read(
                reader,
                resource_group_ids,
                resource_group_count,
            )?,
            logon_time,
            logoff_time,
            kick_off_time,
            password_last_set,
            password_can_change,
            password_must_change,
            logon_count,
            bad_password_count,
            user_id,
            primary_group_id,
            user_flags,
            user_account_control,
            sub_auth_status,
            last_successful_interactive_logon,
            last_failed_interactive_logon,
            failed_interactive_logon_count,
        };
        reader.finish()?;
        Ok(info)
    }

    /// The account: its RID in its domain, or the first extra SID where the RID is zero (MS-PAC
    /// §2.5). `None` when neither makes a SID.
    #[must_use]
    pub fn user_sid(&self) -> Option<Sid> {
        if self.user_id == 0 {
            return self.extra_sids.iter().next().map(|extra| extra.sid);
        }
        self.logon_domain_id?.with_rid(self.user_id)
    }
}

impl fmt::Debug for LogonInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogonInfo")
            .field("effective_name", &self.effective_name)
            .field("logon_domain_name", &self.logon_domain_name)
            .field("logon_domain_id", &self.logon_domain_id)
            .field("user_id", &self.user_id)
            .field("group_ids", &self.group_ids)
            .field("extra_sids", &self.extra_sids)
            .field("resource_group_ids", &self.resource_group_ids)
            .finish_non_exhaustive()
    }
}
