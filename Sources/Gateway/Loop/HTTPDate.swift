import Glibc
import ProtoRuntime

/// The present time as an HTTP date (RFC 9110 §5.6.7), formatted once a second.
struct HTTPDate {
    /// Such as "Sun, 06 Nov 1994 08:49:37 GMT".
    private(set) var text: [UInt8] = []
    private var nextUpdate: Int64 = .min

    /// Renews the text when a second has passed; `now` is monotonic.
    mutating func update(now: Int64) {
        guard now >= nextUpdate else { return }
        var wall = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &wall)
        nextUpdate = now + 1_000_000_000 - Int64(wall.tv_nsec)
        text = Array(HTTPDate.format(secondsSinceEpoch: Int64(wall.tv_sec)).utf8)
    }

    static func format(secondsSinceEpoch: Int64) -> String {
        var seconds = time_t(secondsSinceEpoch)
        var parts = unsafe tm()
        guard unsafe gmtime_r(&seconds, &parts) != nil else { return "" }
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let day = unsafe two(parts.tm_mday)
        let time = unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        let weekday = unsafe days[Int(parts.tm_wday)]
        let month = unsafe months[Int(parts.tm_mon)]
        let year = unsafe Int(parts.tm_year) + 1900
        return "\(weekday), \(day) \(month) \(year) \(time) GMT"
    }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
