//! A PAC, for people: MS-PAC.

use alloc::format;
use alloc::string::{String, ToString};

use super::names::{CHECKSUMS, name};
use super::walk::{Walk, hex};
use crate::der::Reader;
use crate::error::DecodeError;
use crate::pac::{Buffer, BufferType, GroupAttributes, LogonInfo, Pac, SignatureData, UpnDnsInfo};

impl<'a> Walk<'a> {
    /// The contents of an AD-WIN2K-PAC, or a PAC alone.
    pub(super) fn pac(&mut self, label: &str, at: Reader<'a>, depth: usize) {
        let (bytes, start) = (at.remaining(), at.offset());
        let moved = |error: DecodeError| {
            DecodeError::new(start.saturating_add(error.offset()), error.kind())
        };
        let pac = match Pac::parse(bytes) {
            Ok(pac) => pac,
            Err(error) => return self.broken(depth, at, moved(error)),
        };
        let count = pac.buffers().count();
        self.line(depth, start, label, format!("{count} buffers"));
        let below = depth.saturating_add(1);
        for buffer in pac.buffers() {
            let offset = start.saturating_add(buffer.offset);
            if let Err(error) = self.pac_buffer(&pac, buffer, offset, below) {
                self.broken(below, Reader::at(buffer.data, offset), moved(error));
            }
        }
    }

    fn pac_buffer(
        &mut self,
        pac: &Pac<'a>,
        buffer: Buffer<'a>,
        offset: usize,
        depth: usize,
    ) -> Result<(), DecodeError> {
        let label = match buffer.buffer_type.name() {
            Some(name) => name.to_string(),
            None => format!("buffer of type {:#x}", buffer.buffer_type.0),
        };
        let value = match buffer.buffer_type {
            BufferType::LOGON_INFO => {
                let info = pac.logon_info()?;
                self.line(depth, offset, &label, String::new());
                info.iter()
                    .for_each(|info| self.logon_info(info, offset, depth.saturating_add(1)));
                return Ok(());
            }
            BufferType::UPN_DNS_INFO => {
                let info = pac.upn_dns_info()?;
                self.line(depth, offset, &label, String::new());
                info.iter()
                    .for_each(|info| self.upn_dns_info(info, offset, depth.saturating_add(1)));
                return Ok(());
            }
            BufferType::CLIENT_INFO => pac
                .client_info()?
                .map(|info| format!("{:?}, authtime {}", info.name, info.client_id)),
            BufferType::REQUESTOR => pac.requestor()?.map(|sid| sid.to_string()),
            BufferType::ATTRIBUTES_INFO => {
                let attributes = pac.attributes()?;
                attributes.map(|found| format!("{:#x} of {} bits", found.flags, found.flags_length))
            }
            BufferType::DELEGATION_INFO => pac.delegation_info()?.map(|info| {
                format!(
                    "to {:?} through {:?}",
                    info.proxy_target, info.transited_services
                )
            }),
            known if SignatureData::TYPES.contains(&known) => {
                pac.signature(known)?.map(|found| signature(&found))
            }
            _ => Some(hex(buffer.data)),
        };
        self.line(depth, offset, &label, value.unwrap_or_default());
        Ok(())
    }

    fn logon_info(&mut self, info: &LogonInfo<'_>, offset: usize, depth: usize) {
        let mut show = |label: &str, value: String| self.line(depth, offset, label, value);
        show("EffectiveName", format!("{:?}", info.effective_name));
        if !info.full_name.is_empty() {
            show("FullName", format!("{:?}", info.full_name));
        }
        show("LogonDomainName", format!("{:?}", info.logon_domain_name));
        show("LogonServer", format!("{:?}", info.logon_server));
        if let Some(user) = info.user_sid() {
            show("user", user.to_string());
        }
        show("LogonTime", info.logon_time.to_string());
        show("KickOffTime", info.kick_off_time.to_string());
        show("UserFlags", format!("{:#x}", info.user_flags.0));
        show(
            "UserAccountControl",
            format!("{:#x}", info.user_account_control),
        );
        show("PrimaryGroupId", info.primary_group_id.to_string());
        let of = |label: &str, sid: String, attributes: GroupAttributes| {
            (label.to_string(), format!("{sid} ({:#x})", attributes.0))
        };
        let domain = |domain: Option<crate::pac::Sid>, rid: u32| {
            domain
                .and_then(|domain| domain.with_rid(rid))
                .map_or_else(|| rid.to_string(), |sid| sid.to_string())
        };
        let groups = info.group_ids.iter().map(|group| {
            let sid = domain(info.logon_domain_id, group.relative_id);
            of("group", sid, group.attributes)
        });
        let extra = info
            .extra_sids
            .iter()
            .map(|extra| of("extra SID", extra.sid.to_string(), extra.attributes));
        let resource = info.resource_group_ids.iter().map(|group| {
            let sid = domain(info.resource_group_domain_sid, group.relative_id);
            of("resource group", sid, group.attributes)
        });
        for (label, value) in groups.chain(extra).chain(resource) {
            if self.is_cut() {
                break;
            }
            self.line(depth, offset, &label, value);
        }
    }

    fn upn_dns_info(&mut self, info: &UpnDnsInfo<'_>, offset: usize, depth: usize) {
        let mut show = |label: &str, value: String| self.line(depth, offset, label, value);
        show("Upn", format!("{:?}", info.upn));
        show("DnsDomainName", format!("{:?}", info.dns_domain_name));
        show("Flags", format!("{:#x}", info.flags.0));
        if let Some(name) = info.sam_name {
            show("SamName", format!("{name:?}"));
        }
        if let Some(sid) = info.sid {
            show("Sid", sid.to_string());
        }
    }
}

fn signature(found: &SignatureData<'_>) -> String {
    let known = name(CHECKSUMS, i64::from(found.signature_type));
    let mut value = format!(
        "{} {}, {}",
        found.signature_type,
        known.unwrap_or("unknown"),
        hex(found.signature)
    );
    if let Some(controller) = found.rodc_identifier {
        value.push_str(&format!(", read-only domain controller {controller}"));
    }
    value
}
