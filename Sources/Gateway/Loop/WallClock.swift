import Glibc

/// The system's time of day, for what is told to people; deadlines use the loop's monotonic time.
enum WallClock {
    /// Seconds since 1970-01-01T00:00:00Z, and the nanoseconds of the present one.
    static func now() -> (seconds: Int64, nanoseconds: Int32) {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return (Int64(time.tv_sec), Int32(truncatingIfNeeded: time.tv_nsec))
    }
}
