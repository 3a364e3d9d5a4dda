import ProtoRuntime

@testable import Transcode

/// A request head, written as "POST /path HTTP/2" and its fields.
struct TestCall {
    var line: String
    var fields: [(String, String)] = []
    var version = HTTPVersion.http2

    /// What the head decides: the plan, and the status that refuses it.
    func resolved(by methods: MethodTable) -> (plan: CallPlan, match: RouteMatch, error: Status?) {
        var plan = CallPlan()
        let match = RouteMatch()
        do throws(Status) {
            try plan.resolve(head, methods: methods, match: match)
        } catch {
            return (plan, match, error)
        }
        return (plan, match, nil)
    }

    var head: RequestHead {
        let words = line.split(separator: " ").map(String.init)
        var head = RequestHead()
        head.version = version
        head.setMethod(words[0].utf8Span.span)
        head.setTarget(words[1].utf8Span.span)
        head.fields.append(fields)
        return head
    }
}
