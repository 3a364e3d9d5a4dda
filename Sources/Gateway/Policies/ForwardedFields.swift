import ProtoRuntime
import Transcode

/// The fields by which an upstream learns who called: `x-forwarded-for`, `-proto`, `-host`, `-client-cert` and
/// `x-request-id`. What a client itself says there counts only where it is a trusted proxy. Pure.
///
/// All names of this kind are known fields, which `CallPlan.appendUpstreamHead` never forwards; this puts them in.
enum ForwardedFields {
    /// A longer request id of a proxy's is replaced.
    static let requestIDBytesMax = 256

    /// Appends the fields to the head of the upstream's request.
    static func append(
        from head: borrowing RequestHead, peer: Peer, requestID: borrowing OutputBlock,
        to fields: inout Fields
    ) {
        if peer.isTrusted {
            appendList(
                .xForwardedFor, separator: ", ", head, peer, own: peer.address, to: &fields)
            appendProto(head, peer, to: &fields)
        } else {
            fields.append(contentsOf: peer.forwarded)
        }
        if let kept = trusted(.xForwardedHost, head, peer) {
            fields.append(.xForwardedHost, head.fields.value(at: kept))
        } else if head.authority.count > 0 {
            fields.append(.xForwardedHost, head.authority)
        }
        append(requestID: requestID, to: &fields)
        appendList(
            .xForwardedClientCert, separator: ",", head, peer, own: peer.certificate,
            to: &fields)
        if peer.isTrusted { appendOthers(head, to: &fields) }
    }

    /// The id of a request: a trusted proxy's own, else a new one.
    static func appendRequestID(
        of head: borrowing RequestHead, peer: Peer, _ ids: inout RequestIDs,
        to output: inout OutputBlock
    ) {
        if let kept = trusted(.xRequestID, head, peer) {
            let value = head.fields.value(at: kept)
            if value.count <= requestIDBytesMax, Metadata.isValidValue(value) {
                output.append(value)
                return
            }
        }
        ids.append(to: &output)
    }

    static func append(requestID: borrowing OutputBlock, to fields: inout Fields) {
        fields.append(.xRequestID, requestID.bytes)
    }

    private static func appendProto(
        _ head: borrowing RequestHead, _ peer: Peer, to fields: inout Fields
    ) {
        if let kept = trusted(.xForwardedProto, head, peer) {
            fields.append(.xForwardedProto, head.fields.value(at: kept))
        } else {
            fields.append(.xForwardedProto, peer.scheme)
        }
    }

    /// What trusted proxies have listed so far, then what this connection tells.
    private static func appendList(
        _ known: KnownField, separator: StaticString, _ head: borrowing RequestHead, _ peer: Peer,
        own: [UInt8], to fields: inout Fields
    ) {
        guard peer.isTrusted, head.fields.firstIndex(of: known) != nil else {
            if !own.isEmpty { fields.append(known, own.span) }
            return
        }
        fields.append(known) { output in
            var isFirst = true
            for index in 0..<head.fields.count where head.fields.known(at: index) == known {
                if !isFirst { output.append(separator) }
                output.append(head.fields.value(at: index))
                isFirst = false
            }
            if !own.isEmpty {
                output.append(separator)
                output.append(own.span)
            }
        }
    }

    /// Where a trusted proxy has said it; the first of several.
    private static func trusted(
        _ known: KnownField, _ head: borrowing RequestHead, _ peer: Peer
    ) -> Int? {
        guard peer.isTrusted, let index = head.fields.firstIndex(of: known),
            head.fields.value(at: index).count > 0
        else { return nil }
        return index
    }

    /// `forwarded`, and what else begins with `x-forwarded-`.
    private static func appendOthers(_ head: borrowing RequestHead, to fields: inout Fields) {
        for index in 0..<head.fields.count {
            switch head.fields.known(at: index) {
            case .forwarded, .xForwardedOther:
                let name = head.fields.name(at: index)
                guard Metadata.canCarry(name, head.fields.value(at: index)) else { continue }
                fields.append(name: name, value: head.fields.value(at: index))
            default: continue
            }
        }
    }
}
