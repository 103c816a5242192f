import Foundation

/// What the keys `freeze` and `freeze-bn` ask for, independent of a network.
///
/// A pattern is a timm path in which `*` stands for any text; it means the tensors whose path it
/// fits, and all tensors below it: `blocks.0`, `blocks.*.se`, `*.bn2.weight`. `blocks.0..3` is short
/// for four of them, `stem` for what is in front of the blocks, `backbone` for everything but the
/// classifier.
public struct FreezeRule: Sendable, Equatable {
  /// The patterns, in the order in which they were given; empty where everything trains.
  public let patterns: [String]
  /// Whether the batch norms of what is frozen, or all of them where nothing else is, use their
  /// running statistics and leave them as they are.
  public let fixesNorms: Bool

  /// The rule of a value of `freeze`: `none`, or patterns with commas between them.
  init(_ value: String, fixesNorms: Bool) {
    patterns = value == "none" ? [] : value.split(separator: ",").map(String.init)
    self.fixesNorms = fixesNorms
  }

  /// Whether a text can be a list of patterns, whatever the network.
  static func isList(_ text: String) -> Bool {
    text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { pattern in
      !pattern.isEmpty && pattern.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
  }

  /// The places in the table of the tensors that are frozen.
  /// - Throws: `HyperparameterError.frozenNothing` for a pattern that fits no trained tensor.
  func frozen(in table: ParameterTable) throws(HyperparameterError) -> Set<Int> {
    var frozen: Set<Int> = []
    for pattern in patterns {
      for part in Self.parts(of: pattern) {
        let found = table.entries.indices.filter { Self.fits(table.entries[$0], part) }
        guard !found.isEmpty else {
          throw .frozenNothing(part, nearest: Self.nearest(to: part, in: table))
        }
        frozen.formUnion(found)
      }
    }
    return frozen
  }

  /// The patterns that `blocks.0..3` is short for, one at a time, because its end may be absurd.
  private static func parts(of pattern: String) -> some Sequence<String> {
    let ends = pattern.firstRange(of: "..").map { dots in
      let head = pattern[..<dots.lowerBound]
      let number = head.lastIndex(of: ".").map { head.index(after: $0) } ?? head.startIndex
      return (
        path: String(head[..<number]), first: Int(head[number...]),
        last: Int(pattern[dots.upperBound...])
      )
    }
    guard let ends, let first = ends.first, let last = ends.last, first <= last else {
      return (0...0).lazy.map { _ in pattern }
    }
    return (first...last).lazy.map { "\(ends.path)\($0)" }
  }

  private static func fits(_ info: ParameterInfo, _ pattern: String) -> Bool {
    guard info.storage == .weights else { return false }
    switch pattern {
    case "backbone": return info.role.unit != .classifier
    case "stem": return info.role.unit == .stem
    default:
      return matchesWildcards(info.path, pattern) || matchesWildcards(info.path, pattern + ".*")
    }
  }

  /// The paths that a mistyped pattern may mean.
  private static func nearest(to pattern: String, in table: ParameterTable) -> [String] {
    var paths = ["stem", "backbone"]
    var known = Set(paths)
    for info in table.entries where info.storage == .weights {
      let names = info.path.split(separator: ".")
      for length in 1...names.count {
        let path = names.prefix(length).joined(separator: ".")
        if known.insert(path).inserted { paths.append(path) }
      }
    }
    return closestNames(to: pattern.replacing("*", with: ""), among: paths)
  }
}

/// Whether a name fits a pattern in which `*` stands for any text.
public func matchesWildcards(_ name: String, _ pattern: String) -> Bool {
  let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
  guard parts.count > 1 else { return name == pattern }
  guard name.hasPrefix(parts[0]) else { return false }
  var rest = name.dropFirst(parts[0].count)
  for part in parts.dropFirst().dropLast() where !part.isEmpty {
    guard let range = rest.range(of: part) else { return false }
    rest = rest[range.upperBound...]
  }
  return rest.hasSuffix(parts[parts.count - 1])
}
