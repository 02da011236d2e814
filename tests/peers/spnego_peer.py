#!/usr/bin/env python3
"""A security context of pyspnego, driven command by command.

Speaks the protocol of gss_peer.c (its opening comment): frames of a 4-byte big-endian length, a line
"verb key=value ...", and data after the newline. NTLM and SPNEGO are pyspnego's own, in Python; only
Kerberos is the system's GSS-API.

    initiator target=SERVICE@HOST [mech=ntlm|spnego|krb5] [offers=MECH,MECH] [flags=a,b] [bindings=HEX]
              [ccache=FILE:PATH] [user=DOMAIN\\NAME [password=HEX | users=PATH]]
    acceptor  [name=SERVICE@HOST] [mech=...] [offers=...] [users=PATH] [bindings=HEX] [keytab=FILE:PATH]
    step, inquire, session-key, wrap conf=, unwrap [conf=], mic, verify mic=

What it cannot do (0.12.4): NTLM's wrap() seals whatever `encrypt` says, and its unwrap() opens only what is
sealed, so that conf=0 is composed here of sign() and verify(); NTLM in datagram mode; anonymous.
"""

import os
import struct
import sys

import spnego
from spnego._negotiate import NegotiateProxy
from spnego.channel_bindings import GssChannelBindings

MAX_FRAME = 32 << 20
SIGNATURE = 16

FLAGS = {
    "deleg": spnego.ContextReq.delegate,
    "mutual": spnego.ContextReq.mutual_auth,
    "replay": spnego.ContextReq.replay_detect,
    "sequence": spnego.ContextReq.sequence_detect,
    "conf": spnego.ContextReq.confidentiality,
    "integ": spnego.ContextReq.integrity,
    "dce": spnego.ContextReq.dce_style,
    "identify": spnego.ContextReq.identify,
}
VARIABLES = {"users": "NTLM_USER_FILE", "keytab": "KRB5_KTNAME", "ccache": "KRB5CCNAME"}
PROTOCOLS = {"ntlm": "ntlm", "spnego": "negotiate", "krb5": "kerberos"}


class Peer:
    """The one context of this process."""

    def __init__(self):
        self.context = None
        # What SPNEGO makes before its peer has sent anything is nothing that an acceptor sends.
        self.is_complete = False

    def start(self, usage, values):
        mech = values.get("mech", "ntlm")
        arguments = {"protocol": PROTOCOLS[mech]}
        if mech != "krb5":
            arguments["options"] = (
                spnego.NegotiateOptions.use_ntlm if mech == "ntlm" else spnego.NegotiateOptions.use_negotiate
            )
        if "bindings" in values:
            arguments["channel_bindings"] = GssChannelBindings(application_data=bytes.fromhex(values["bindings"]))
        for key, variable in VARIABLES.items():
            if key in values:
                os.environ[variable] = values[key]
            else:
                os.environ.pop(variable, None)
        service, _, host = values.get("target" if usage == "initiate" else "name", "").partition("@")
        if host:
            arguments.update(service=service, hostname=host)
        self.is_complete = False
        if usage == "initiate":
            flags = [FLAGS[flag] for flag in values.get("flags", "").split(",") if flag]
            arguments["context_req"] = sum(flags, spnego.ContextReq.none)
            password = bytes.fromhex(values["password"]).decode() if "password" in values else None
            self.context = spnego.client(values.get("user"), password, **arguments)
        else:
            self.context = spnego.server(**arguments)
        if isinstance(self.context, NegotiateProxy) and "offers" in values:
            # There is no public way to say which mechanisms are negotiated.
            names = {"krb5": "kerberos"}
            mechs = [getattr(spnego._context.GSSMech, names.get(m, m)) for m in values["offers"].split(",")]
            self.context._preferred_mech_list = lambda: mechs
        return "", b""

    def initiator(self, values, _):
        return self.start("initiate", values)

    def acceptor(self, values, _):
        return self.start("accept", values)

    def step(self, _, data):
        token = self.context.step(data or None) or b""
        state = "complete" if self.context.complete else "continue"
        return f"state={state} token={int(bool(token))}", token

    def inquire(self, *_):
        granted = ",".join(name for name, flag in FLAGS.items() if self.context.context_attr & flag)
        # Only an acceptor says who the initiator is.
        source = self.context.client_principal or "-"
        return f"source={source} flags={granted} mech={self.context.negotiated_protocol}", b""

    def session_key(self, *_):
        return "enctype=0", self.context.session_key

    def wrap(self, values, data):
        if self.context.negotiated_protocol == "kerberos":
            wrapped = self.context.wrap(data, encrypt=values.get("conf") != "0")
            return f"conf={int(wrapped.encrypted)}", wrapped.data
        if values.get("conf") == "0":
            return "conf=0", self.context.sign(data) + data
        return "conf=1", self.context.wrap(data).data

    def unwrap(self, values, data):
        if values.get("conf") == "0":
            message = data[SIGNATURE:]
            self.context.verify(message, data[:SIGNATURE])
            return "conf=0 info=none", message
        opened = self.context.unwrap(data)
        return f"conf={int(opened.encrypted)} info=none", opened.data

    def mic(self, _, data):
        return "", self.context.sign(data)

    def verify(self, values, data):
        self.context.verify(data, bytes.fromhex(values["mic"]))
        return "info=none", b""


VERBS = {
    "initiator": Peer.initiator,
    "acceptor": Peer.acceptor,
    "step": Peer.step,
    "inquire": Peer.inquire,
    "session-key": Peer.session_key,
    "wrap": Peer.wrap,
    "unwrap": Peer.unwrap,
    "mic": Peer.mic,
    "verify": Peer.verify,
}


def answer(peer, frame):
    line, _, data = frame.partition(b"\n")
    verb, *words = line.decode().split(" ")
    values = dict(word.split("=", 1) for word in words if word)
    try:
        text, out = VERBS[verb](peer, values, data)
    except Exception as problem:  # whatever the library makes of its input is an answer
        minor = getattr(problem, "error_code", 0) or 0
        message = f"{type(problem).__name__}: {problem}".replace("\n", " ")
        return f"error major=000d0000 minor={int(minor)} what={verb} {message}\n".encode()
    return f"ok {text}\n".encode() + out


def main():
    peer, source, sink = Peer(), sys.stdin.buffer, sys.stdout.buffer
    while prefix := source.read(4):
        (size,) = struct.unpack(">I", prefix)
        if size > MAX_FRAME:
            sys.exit("spnego_peer: frame too long")
        reply = answer(peer, source.read(size))
        sink.write(struct.pack(">I", len(reply)) + reply)
        sink.flush()


if __name__ == "__main__":
    main()
