import Glibc
import Logging

/// Reads the certificate files of upstreams again when they have changed. It has a thread of its own: a disk that
/// hangs holds up no call.
struct CertificateWatch {
    private struct Subject {
        var upstream: String
        var context: TLSClientContext
        var watch: FileWatch
        /// Seconds until the next look.
        var wait: Int64
    }

    private var subjects: [Subject]
    private let log: Logger

    private init(_ upstreams: [UpstreamPlan], log: Logger) {
        self.log = log
        subjects = upstreams.compactMap { upstream in
            guard let context = upstream.tls, !context.files.isEmpty, context.rereadInterval > 0
            else { return nil }
            return Subject(
                upstream: upstream.name, context: context,
                watch: FileWatch(context.stamps), wait: 0)
        }
    }

    /// Starts the thread, which lives as long as the process; none where no files are to be watched.
    static func start(_ upstreams: [UpstreamPlan], log: Logger) throws(SystemError) {
        let watch = CertificateWatch(upstreams, log: log)
        guard !watch.subjects.isEmpty else { return }
        _ = try LoopThread {
            var watch = watch
            while true {
                sleep(1)
                watch.secondPassed()
            }
        }
    }

    private mutating func secondPassed() {
        for index in subjects.indices {
            subjects[index].wait -= 1
            guard subjects[index].wait <= 0 else { continue }
            subjects[index].wait = subjects[index].context.rereadInterval / 1_000_000_000
            look(index)
        }
    }

    private mutating func look(_ index: Int) {
        let (context, name) = (subjects[index].context, subjects[index].upstream)
        guard subjects[index].watch.look(context.files.map(FileStamp.of)) else { return }
        do throws(TLSLoadError) {
            try context.reread()
            log.info("upstream \(name): its certificate files changed; new connections use them")
        } catch {
            log.warning(
                "upstream \(name): its certificate files changed to what cannot be used, so that the last ones stay: \(error)"
            )
        }
    }
}
