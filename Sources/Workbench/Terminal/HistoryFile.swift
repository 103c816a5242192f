import Foundation
import Glibc

/// The entries of earlier sessions, one per line of a text file, written as they are made.
///
/// An entry of several lines stays one line of the file: newlines are written `\n`, backslashes
/// `\\`. Two programs may append to one file: each entry is a single locked write.
struct HistoryFile: Sendable {
  /// Where the entries are; `nil` keeps nothing on disk.
  let url: URL?
  /// How many entries the file is cut to when it has grown to twice as many.
  let limit: Int

  init(url: URL?, limit: Int = 10_000) {
    self.url = url
    self.limit = limit
  }

  /// The newest entries, oldest first; none if the file cannot be read. Cuts an overgrown file.
  func load() -> [String] {
    guard let url, let data = try? Data(contentsOf: url) else { return [] }
    let lines = Self.lines(of: data)
    if lines.count > 2 * limit { trim() }
    return lines.suffix(limit).map(Self.decoded)
  }

  /// Adds one entry at the end. A history that cannot be written is no reason to stop anyone: the
  /// result says whether it was.
  @discardableResult
  func append(_ entry: String) -> Bool {
    guard let url else { return false }
    let folder = url.deletingLastPathComponent()
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return withLockedFile { descriptor in
      let bytes = Array((Self.encoded(entry) + "\n").utf8)
      return write(descriptor, bytes, bytes.count) == bytes.count
    }
  }

  /// Keeps the newest `limit` entries. The new file takes the old one's place in one step.
  private func trim() {
    _ = withLockedFile { _ in
      guard let url, let data = try? Data(contentsOf: url) else { return false }
      let kept = Self.lines(of: data).suffix(limit).joined(separator: "\n") + "\n"
      return (try? Data(kept.utf8).write(to: url, options: .atomic)) != nil
    }
  }

  /// Runs `body` on the file, opened for appending and locked. A file that was replaced while we
  /// waited for its lock is opened again.
  private func withLockedFile(_ body: (Int32) -> Bool) -> Bool {
    guard let path = url?.path else { return false }
    for _ in 0..<8 {
      let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { return false }
      defer { close(descriptor) }
      guard flock(descriptor, LOCK_EX) == 0 else { return false }
      var (opened, present) = (stat(), stat())
      guard fstat(descriptor, &opened) == 0 else { return false }
      if stat(path, &present) == 0, opened.st_ino == present.st_ino { return body(descriptor) }
    }
    return false
  }

  private static func lines(of data: Data) -> [String] {
    data.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
  }

  static func encoded(_ entry: String) -> String {
    var out = ""
    for scalar in entry.unicodeScalars {
      switch scalar {
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": continue
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  static func decoded(_ line: String) -> String {
    var out = ""
    var escaped = false
    for scalar in line.unicodeScalars {
      if escaped {
        out += scalar == "n" ? "\n" : scalar == "\\" ? "\\" : "\\\(scalar)"
        escaped = false
      } else if scalar == "\\" {
        escaped = true
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return escaped ? out + "\\" : out
  }
}
