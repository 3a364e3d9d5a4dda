import ProtoRuntime
import Transcode

/// Room in which one response, or one upstream head, is put together. Pooled: taken, used and given back in one go.
final class Scratch {
    static let keptBytesMax = 256 << 10

    var head = ResponseHead()
    var trailers = Fields()
    var body = OutputBlock()

    func removeAll() {
        head.removeAll()
        trailers.removeAll()
        body.removeAll()
        body.shrink(toAtMost: Scratch.keptBytesMax)
    }
}
