import Foundation
import Testing

/// What a session left on disk, as far as a repetition must leave the same.
enum SessionBits {
  /// The runs below a folder that are neither moved aside nor undone.
  static func runs(in folder: URL) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { name in
      name.first != "." && !name.contains(".undone") && name.firstMatch(of: /\.[0-9]+$/) == nil
    }.sorted()
  }

  /// Whether a run's training was given up for a number that is not finite.
  static func hasDiverged(_ name: String, in folder: URL) throws -> Bool {
    try String(contentsOf: folder.appending(path: "\(name)/log.txt"), encoding: .utf8)
      .contains("diverged")
  }

  /// The rows of a run's metrics.csv without the columns that a clock or a stop decides.
  static func metrics(_ run: URL) throws -> [String] {
    let text = try String(contentsOf: run.appending(path: "metrics.csv"), encoding: .utf8)
    return text.split(separator: "\n").map { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      return [0, 1, 3, 4, 5, 6, 7].map { String(fields[$0]) }.joined(separator: ",")
    }
  }

  /// The bytes of all tensors in a run's last checkpoint: weights, statistics, optimizer, average.
  static func tensors(_ run: URL) throws -> Data {
    let data = try Data(contentsOf: run.appending(path: "ckpt/last.safetensors"))
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return data.dropFirst(8 + length)
  }

  /// What differs between the run of a name in two folders; nil for nothing.
  static func difference(_ name: String, _ first: URL, _ second: URL) throws -> String? {
    let (one, other) = (first.appending(path: name), second.appending(path: name))
    let (rows, otherRows) = (try metrics(one), try metrics(other))
    guard rows == otherRows else {
      return "metrics of \(name):\n\(rows.joined(separator: "\n"))\n-- and --\n"
        + otherRows.joined(separator: "\n")
    }
    return try tensors(one) == tensors(other) ? nil : "the weights of \(name)"
  }
}
