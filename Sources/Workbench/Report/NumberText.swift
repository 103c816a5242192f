import Foundation

/// Numbers as people read them. Every function gives the same text in every locale.
enum NumberText {
  /// A span of time: `340ms`, `4.2s`, `42s`, `20m31s`, `5h12m`, `18h`, `3d4h`; `-` if unknown.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "-" }
    if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded()))ms" }
    if seconds < 9.95 { return fixed(seconds, 1) + "s" }
    guard seconds < 8.64e9 else { return "-" }
    let whole = Int(seconds.rounded())
    let (days, hours) = (whole / 86400, whole / 3600)
    if whole < 60 { return "\(whole)s" }
    if hours < 1 { return "\(whole / 60)m\(twoDigits(whole % 60))s" }
    if hours < 10 { return "\(hours)h\(twoDigits(whole / 60 % 60))m" }
    if hours < 48 { return "\(hours)h" }
    return "\(days)d\(hours % 24)h"
  }

  /// A whole number with thousands separated: `23,941,296`.
  static func count(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return value < 0 ? "-" + text : text
  }

  /// A number in three significant digits with a decimal prefix: `853`, `23.9M`, `5.38G`.
  static func compact(_ value: Double) -> String {
    scaled(value, base: 1000, units: ["", "k", "M", "G", "T", "P"])
  }

  /// A size in memory or on disk: `512 B`, `94.2 MiB`.
  static func bytes(_ value: Int) -> String {
    scaled(Double(value), base: 1024, units: [" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
  }

  /// A number in `digits` significant digits, without an exponent where that is readable.
  static func significant(_ value: Double, _ digits: Int = 4) -> String {
    value.isFinite ? String(format: "%.\(digits)g", value) : special(value)
  }

  /// A number with a fixed count of decimals.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    value.isFinite ? String(format: "%.\(decimals)f", value) : special(value)
  }

  /// A fraction as a percentage: `0.7984` is `79.84 %`.
  static func percent(_ fraction: Double, _ decimals: Int = 2) -> String {
    fixed(fraction * 100, decimals) + " %"
  }

  private static func special(_ value: Double) -> String {
    value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
  }

  private static func twoDigits(_ value: Int) -> String {
    value < 10 ? "0\(value)" : "\(value)"
  }

  private static func scaled(_ value: Double, base: Double, units: [String]) -> String {
    guard value.isFinite else { return special(value) }
    var (rest, index) = (value, 0)
    // 999.5 of one unit would print as 1000: it is already one of the next.
    while abs(rest) >= (index == 0 ? base : base - 0.5) && index < units.count - 1 {
      rest /= base
      index += 1
    }
    if index == 0 && rest == rest.rounded() { return fixed(rest, 0) + units[0] }
    let decimals = abs(rest) < 9.995 ? 2 : abs(rest) < 99.95 ? 1 : 0
    return fixed(rest, decimals) + units[index]
  }
}
