/// Durations and sizes as people write them. Pure.
enum ConfigurationUnits {
    /// By size; `ms` before `m` and `s` matters only to readers.
    private static let durationUnits: [(name: String, nanoseconds: Int64)] = [
        ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ]
    private static let sizeUnits: [(name: String, bytes: Int)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    /// Nanoseconds of `15s`, `100ms`, `2h` or `1m30s`; nil for anything else and for what exceeds 292 years.
    static func duration(_ text: String) -> Int64? {
        var rest = Substring(text)
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            guard let (count, name) = quantity(&rest),
                let unit = durationUnits.first(where: { $0.name == name }),
                let whole = Int64(exactly: count)
            else { return nil }
            let product = whole.multipliedReportingOverflow(by: unit.nanoseconds)
            let sum = total.addingReportingOverflow(product.partialValue)
            guard !product.overflow, !sum.overflow else { return nil }
            total = sum.partialValue
        }
        return total
    }

    /// Bytes of `4MiB`, `32KiB`, `512B` or `512`; nil for anything else.
    static func size(_ text: String) -> Int? {
        var rest = Substring(text)
        guard let (count, name) = quantity(&rest), rest.isEmpty else { return nil }
        guard !name.isEmpty else { return count }
        guard let unit = sizeUnits.first(where: { $0.name == name }) else { return nil }
        let product = count.multipliedReportingOverflow(by: unit.bytes)
        return product.overflow ? nil : product.partialValue
    }

    /// Takes digits and the letters behind them.
    private static func quantity(_ rest: inout Substring) -> (count: Int, unit: Substring)? {
        let digits = rest.prefix { ("0"..."9").contains($0) }
        guard let count = Int(digits) else { return nil }
        rest = rest.dropFirst(digits.count)
        let unit = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(unit.count)
        return (count, unit)
    }

    /// The shortest exact form: `1500ms`, `2h`, `0s`.
    static func format(nanoseconds: Int64) -> String {
        for unit in durationUnits.reversed()
        where nanoseconds != 0 && nanoseconds % unit.nanoseconds == 0 {
            return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
        }
        return nanoseconds == 0 ? "0s" : "\(nanoseconds)ns"
    }

    /// Without a point where there is nothing behind it.
    static func format(_ number: Double) -> String {
        Int(exactly: number).map { "\($0)" } ?? "\(number)"
    }

    /// The shortest exact form: `4MiB`, `1000B`.
    static func format(bytes: Int) -> String {
        for unit in sizeUnits.reversed() where bytes % unit.bytes == 0 && bytes != 0 {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(bytes)B"
    }
}
