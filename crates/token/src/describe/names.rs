//! Names of the numbers in Kerberos messages.

/// Numbers with names.
pub(super) type Names = &'static [(i32, &'static str)];

/// The name of `number`.
pub(super) fn name(names: Names, number: i64) -> Option<&'static str> {
    names
        .iter()
        .find(|(known, _)| i64::from(*known) == number)
        .map(|(_, name)| *name)
}

pub(super) const NONE: Names = &[];

/// RFC 4120 §5.10 and the sections of the messages.
pub(super) const MESSAGES: Names = &[
    (10, "AS-REQ"),
    (11, "AS-REP"),
    (12, "TGS-REQ"),
    (13, "TGS-REP"),
    (14, "AP-REQ"),
    (15, "AP-REP"),
    (20, "KRB-SAFE"),
    (21, "KRB-PRIV"),
    (22, "KRB-CRED"),
    (16, "KERB-TGT-REQUEST"),
    (17, "KERB-TGT-REPLY"),
    (30, "KRB-ERROR"),
];

/// IANA, Kerberos Encryption Type Numbers.
pub(super) const ENCTYPES: Names = &[
    (0, "null"),
    (1, "des-cbc-crc"),
    (2, "des-cbc-md4"),
    (3, "des-cbc-md5"),
    (16, "des3-cbc-sha1-kd"),
    (17, "aes128-cts-hmac-sha1-96"),
    (18, "aes256-cts-hmac-sha1-96"),
    (19, "aes128-cts-hmac-sha256-128"),
    (20, "aes256-cts-hmac-sha384-192"),
    (23, "rc4-hmac"),
    (24, "rc4-hmac-exp"),
    (25, "camellia128-cts-cmac"),
    (26, "camellia256-cts-cmac"),
    (-135, "rc4-hmac-old-exp"),
    (-133, "rc4-hmac-old"),
    (-128, "rc4-md4"),
];

/// IANA, Kerberos Checksum Type Numbers.
pub(super) const CHECKSUMS: Names = &[
    (1, "crc32"),
    (2, "rsa-md4"),
    (7, "rsa-md5"),
    (12, "hmac-sha1-des3-kd"),
    (14, "sha1"),
    (15, "hmac-sha1-96-aes128"),
    (16, "hmac-sha1-96-aes256"),
    (17, "cmac-camellia128"),
    (18, "cmac-camellia256"),
    (19, "hmac-sha256-128-aes128"),
    (20, "hmac-sha384-192-aes256"),
    (0x8003, "GSS-API"),
    (-138, "hmac-md5"),
];

/// RFC 4120 §6.2 and RFC 6111 §3.
pub(super) const NAME_TYPES: Names = &[
    (0, "NT-UNKNOWN"),
    (1, "NT-PRINCIPAL"),
    (2, "NT-SRV-INST"),
    (3, "NT-SRV-HST"),
    (4, "NT-SRV-XHST"),
    (5, "NT-UID"),
    (6, "NT-X500-PRINCIPAL"),
    (7, "NT-SMTP-NAME"),
    (10, "NT-ENTERPRISE"),
    (11, "NT-WELLKNOWN"),
    (12, "NT-SRV-HST-DOMAIN"),
    (-128, "NT-MS-PRINCIPAL"),
    (-129, "NT-MS-PRINCIPAL-AND-ID"),
    (-130, "NT-ENT-PRINCIPAL-AND-ID"),
];

/// RFC 4120 §7.5.3.
pub(super) const ADDRESSES: Names = &[
    (2, "IPv4"),
    (3, "directional"),
    (20, "NetBIOS"),
    (24, "IPv6"),
];

/// RFC 4120 §7.5.4 and 5.2.6.
pub(super) const AUTHORIZATION: Names = &[
    (1, "AD-IF-RELEVANT"),
    (4, "AD-KDC-ISSUED"),
    (5, "AD-AND-OR"),
    (8, "AD-MANDATORY-FOR-KDC"),
    (71, "AD-fx-fast-armor"),
    (72, "AD-fx-fast-used"),
    (96, "AD-CAMMAC"),
    (97, "AD-authentication-indicator"),
    (128, "AD-WIN2K-PAC"),
    (129, "AD-ETYPE-NEGOTIATION"),
    (141, "KERB-AUTH-DATA-TOKEN-RESTRICTIONS"),
    (142, "KERB-LOCAL"),
    (143, "KERB-AP-OPTIONS"),
    (144, "KERB-TARGET-PRINCIPAL"),
];

/// IANA, Pre-authentication and Typed Data.
pub(super) const PADATA: Names = &[
    (1, "PA-TGS-REQ"),
    (2, "PA-ENC-TIMESTAMP"),
    (3, "PA-PW-SALT"),
    (11, "PA-ETYPE-INFO"),
    (14, "PA-PK-AS-REQ-OLD"),
    (15, "PA-PK-AS-REP-OLD"),
    (16, "PA-PK-AS-REQ"),
    (17, "PA-PK-AS-REP"),
    (19, "PA-ETYPE-INFO2"),
    (20, "PA-SVR-REFERRAL-INFO"),
    (128, "PA-PAC-REQUEST"),
    (129, "PA-FOR-USER"),
    (130, "PA-S4U-X509-USER"),
    (132, "PA-AS-CHECKSUM"),
    (133, "PA-FX-COOKIE"),
    (134, "PA-AUTHENTICATION-SET"),
    (135, "PA-AUTH-SET-SELECTED"),
    (136, "PA-FX-FAST"),
    (137, "PA-FX-ERROR"),
    (138, "PA-ENCRYPTED-CHALLENGE"),
    (147, "PA-PKINIT-KX"),
    (149, "PA-REQ-ENC-PA-REP"),
    (150, "PA-AS-FRESHNESS"),
    (151, "PA-SPAKE"),
    (165, "PA-SUPPORTED-ETYPES"),
    (166, "PA-EXTENDED-ERROR"),
    (167, "PA-PAC-OPTIONS"),
];

/// RFC 4120 §5.4.2.
pub(super) const LAST_REQUESTS: Names = &[
    (0, "none"),
    (1, "last initial TGT request"),
    (2, "last initial request"),
    (3, "newest TGT"),
    (4, "last renewal"),
    (5, "last request"),
    (6, "password expires"),
    (7, "account expires"),
];

/// RFC 4120 §7.5.7.
pub(super) const TRANSITED: Names = &[(1, "DOMAIN-X500-COMPRESS")];

/// RFC 4178 §4.2.2.
pub(super) const NEG_STATES: Names = &[
    (0, "accept-completed"),
    (1, "accept-incomplete"),
    (2, "reject"),
    (3, "request-mic"),
];

/// RFC 4120 §7.5.9; the last ones are of RFC 4556 §3.1.3 and RFC 6113 §5.
pub(super) const ERRORS: Names = &[
    (0, "KDC_ERR_NONE"),
    (1, "KDC_ERR_NAME_EXP"),
    (2, "KDC_ERR_SERVICE_EXP"),
    (3, "KDC_ERR_BAD_PVNO"),
    (4, "KDC_ERR_C_OLD_MAST_KVNO"),
    (5, "KDC_ERR_S_OLD_MAST_KVNO"),
    (6, "KDC_ERR_C_PRINCIPAL_UNKNOWN"),
    (7, "KDC_ERR_S_PRINCIPAL_UNKNOWN"),
    (8, "KDC_ERR_PRINCIPAL_NOT_UNIQUE"),
    (9, "KDC_ERR_NULL_KEY"),
    (10, "KDC_ERR_CANNOT_POSTDATE"),
    (11, "KDC_ERR_NEVER_VALID"),
    (12, "KDC_ERR_POLICY"),
    (13, "KDC_ERR_BADOPTION"),
    (14, "KDC_ERR_ETYPE_NOSUPP"),
    (15, "KDC_ERR_SUMTYPE_NOSUPP"),
    (16, "KDC_ERR_PADATA_TYPE_NOSUPP"),
    (17, "KDC_ERR_TRTYPE_NOSUPP"),
    (18, "KDC_ERR_CLIENT_REVOKED"),
    (19, "KDC_ERR_SERVICE_REVOKED"),
    (20, "KDC_ERR_TGT_REVOKED"),
    (21, "KDC_ERR_CLIENT_NOTYET"),
    (22, "KDC_ERR_SERVICE_NOTYET"),
    (23, "KDC_ERR_KEY_EXPIRED"),
    (24, "KDC_ERR_PREAUTH_FAILED"),
    (25, "KDC_ERR_PREAUTH_REQUIRED"),
    (26, "KDC_ERR_SERVER_NOMATCH"),
    (27, "KDC_ERR_MUST_USE_USER2USER"),
    (28, "KDC_ERR_PATH_NOT_ACCEPTED"),
    (29, "KDC_ERR_SVC_UNAVAILABLE"),
    (31, "KRB_AP_ERR_BAD_INTEGRITY"),
    (32, "KRB_AP_ERR_TKT_EXPIRED"),
    (33, "KRB_AP_ERR_TKT_NYV"),
    (34, "KRB_AP_ERR_REPEAT"),
    (35, "KRB_AP_ERR_NOT_US"),
    (36, "KRB_AP_ERR_BADMATCH"),
    (37, "KRB_AP_ERR_SKEW"),
    (38, "KRB_AP_ERR_BADADDR"),
    (39, "KRB_AP_ERR_BADVERSION"),
    (40, "KRB_AP_ERR_MSG_TYPE"),
    (41, "KRB_AP_ERR_MODIFIED"),
    (42, "KRB_AP_ERR_BADORDER"),
    (44, "KRB_AP_ERR_BADKEYVER"),
    (45, "KRB_AP_ERR_NOKEY"),
    (46, "KRB_AP_ERR_MUT_FAIL"),
    (47, "KRB_AP_ERR_BADDIRECTION"),
    (48, "KRB_AP_ERR_METHOD"),
    (49, "KRB_AP_ERR_BADSEQ"),
    (50, "KRB_AP_ERR_INAPP_CKSUM"),
    (51, "KRB_AP_PATH_NOT_ACCEPTED"),
    (52, "KRB_ERR_RESPONSE_TOO_BIG"),
    (60, "KRB_ERR_GENERIC"),
    (61, "KRB_ERR_FIELD_TOOLONG"),
    (62, "KDC_ERROR_CLIENT_NOT_TRUSTED"),
    (63, "KDC_ERROR_KDC_NOT_TRUSTED"),
    (64, "KDC_ERROR_INVALID_SIG"),
    (65, "KDC_ERR_KEY_TOO_WEAK"),
    (66, "KDC_ERR_CERTIFICATE_MISMATCH"),
    (67, "KRB_AP_ERR_NO_TGT"),
    (68, "KDC_ERR_WRONG_REALM"),
    (69, "KRB_AP_ERR_USER_TO_USER_REQUIRED"),
    (70, "KDC_ERR_CANT_VERIFY_CERTIFICATE"),
    (85, "KRB_AP_ERR_IAKERB_KDC_NOT_FOUND"),
    (86, "KRB_AP_ERR_IAKERB_KDC_NO_RESPONSE"),
    (90, "KDC_ERR_PREAUTH_EXPIRED"),
    (91, "KDC_ERR_MORE_PREAUTH_DATA_REQUIRED"),
    (92, "KDC_ERR_PREAUTH_BAD_AUTHENTICATION_SET"),
    (93, "KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS"),
];

/// RFC 6113 §5.4.1.
pub(super) const ARMORS: Names = &[(1, "FX_FAST_ARMOR_AP_REQUEST")];

/// MS-KILE §2.2.2.
pub(super) const ERROR_DATA: Names = &[
    (2, "KERB_AP_ERR_TYPE_SKEW_RECOVERY"),
    (3, "KERB_ERR_TYPE_EXTENDED"),
];
