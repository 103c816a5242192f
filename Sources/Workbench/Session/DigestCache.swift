import Foundation
import Model

/// The digests of weight files that were loaded before, in a file of the user's folder.
///
/// A line per file, the last one used at the end: the SHA-256, the five numbers of the stamp, and the
/// beginning of the SHA-256 of all that. A line that is not whole says nothing.
struct DigestCache: DigestStore {
  /// The most files that are remembered.
  static let capacity = 256

  let file: URL

  func digest(of stamp: FileStamp) -> String? {
    lines().lazy.compactMap(Entry.init).first { $0.stamp == stamp }?.digest
  }

  /// What cannot be written is not remembered: the digest is only computed again.
  func keep(_ digest: String, of stamp: FileStamp) {
    let entry = Entry(digest: digest, stamp: stamp)
    let others = lines().filter { line in
      guard let other = Entry(line) else { return false }
      return (other.stamp.device, other.stamp.inode) != (stamp.device, stamp.inode)
    }
    let text = (others + [entry.line]).suffix(Self.capacity).map { $0 + "\n" }.joined()
    try? FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? AtomicFile.write(Data(text.utf8), to: file)
  }

  private func lines() -> [String] {
    guard let data = try? Data(contentsOf: file) else { return [] }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private struct Entry {
    let digest: String
    let stamp: FileStamp

    init(digest: String, stamp: FileStamp) {
      self.digest = digest
      self.stamp = stamp
    }

    init?(_ line: String) {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 7, words[0].utf8.count == 64, let device = UInt64(words[1]),
        let inode = UInt64(words[2]), let size = Int64(words[3]), let modified = Int64(words[4]),
        let changed = Int64(words[5])
      else { return nil }
      self.init(
        digest: words[0],
        stamp: FileStamp(
          device: device, inode: inode, size: size, modified: modified, changed: changed))
      guard self.line == line else { return nil }
    }

    var line: String {
      let text =
        "\(digest) \(stamp.device) \(stamp.inode) \(stamp.size) \(stamp.modified) \(stamp.changed)"
      return text + " " + sha256(of: Array(text.utf8)).prefix(16)
    }
  }
}
