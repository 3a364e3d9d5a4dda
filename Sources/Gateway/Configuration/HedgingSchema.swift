import Transcode

extension HedgingOverrides: AttemptsSection {
    mutating func decode(_ mapping: MappingDecoder) {
        attemptsMax = mapping.integer("max_attempts", in: 1...5)
        delay = mapping.duration("delay", in: 0...Configuration.hour)
        nonFatalCodes = mapping.statusCodes("non_fatal_codes", atLeast: 0)
        requestBytesMax = mapping.size("request", in: 1 << 10...64 << 20)
    }
}
