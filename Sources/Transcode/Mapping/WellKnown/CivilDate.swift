/// Days and dates of the proleptic Gregorian calendar.
struct CivilDate: Equatable {
    /// 1...9999 where this project meets it.
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date `days` after 1970-01-01; days within the years 1...9999. By Neri and Schneider, "Euclidean affine functions
    /// and their application to calendar algorithms" (2023): no division is left that is none by a constant.
    init(days: Int64) {
        // Since 0000-03-01, so that a leap day ends its year; quarter days, so that four years are one length.
        let quarters = 4 &* UInt32(truncatingIfNeeded: days &+ 719_468) &+ 3
        let century = quarters / 146_097
        let centuryQuarters = (quarters % 146_097) | 3
        let product = UInt64(centuryQuarters) &* 2_939_745
        let yearOfCentury = UInt32(truncatingIfNeeded: product &>> 32)
        let dayOfYear = UInt32(truncatingIfNeeded: product) / 2_939_745 / 4
        let months = dayOfYear &* 2_141 &+ 197_913
        let isNextYear = dayOfYear >= 306
        day = Int64((months & 0xffff) / 2_141 &+ 1)
        month = Int64(isNextYear ? months &>> 16 &- 12 : months &>> 16)
        year = Int64(century &* 100 &+ yearOfCentury &+ (isNextYear ? 1 : 0))
    }

    /// Days since 1970-01-01, for a valid date of the years 0...9999. By Howard Hinnant.
    var days: Int64 {
        let marchYear = month <= 2 ? year &+ 399 : year &+ 400
        let era = marchYear / 400
        let yearOfEra = marchYear &- era &* 400
        let marchMonth = month > 2 ? month &- 3 : month &+ 9
        let dayOfYear = (153 &* marchMonth &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return (era &- 1) &* 146_097 &+ dayOfEra &- 719_468
    }

    /// Whether the calendar has that day.
    var isValid: Bool {
        guard month >= 1, month <= 12, day >= 1 else { return false }
        switch month {
        case 2:
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            return day <= (isLeap ? 29 : 28)
        case 4, 6, 9, 11: return day <= 30
        default: return day <= 31
        }
    }
}
