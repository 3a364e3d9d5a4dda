import Transcode

extension HedgingOverrides {
    /// Decodes the section `hedging` of methods.
    init(_ mapping: MappingDecoder) {
        self.init()
        decode(mapping)
        mapping.finish()
    }

    /// Decodes the section `hedging` of an upstream.
    init(_ mapping: MappingDecoder, throttle: inout ThrottleOptions) {
        self.init()
        decode(mapping)
        throttle.decode(mapping)
        mapping.finish()
    }

    private mutating func decode(_ mapping: MappingDecoder) {
        attemptsMax = mapping.integer("max_attempts", in: 1...5)
        delay = mapping.duration("delay", in: 0...Configuration.hour)
        nonFatalCodes = mapping.statusCodes("non_fatal_codes", atLeast: 0)
        requestBytesMax = mapping.size("request", in: 1 << 10...64 << 20)
    }
}
