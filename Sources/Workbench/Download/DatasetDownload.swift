import DSL
import Foundation
import Model

/// A data set on its way to a folder.
protocol DatasetDownload {
  /// Whether the data set is there.
  var isThere: Bool { get }

  /// Leaves the data set's own folder in the directory: whole, or not at all.
  func run(_ console: Console) throws
}

/// Fetches the archive of a data set and unpacks it.
struct ArchiveDownload: DatasetDownload {
  /// The folder that gets the data set's own folder.
  let directory: URL
  let archive: DatasetArchive
  /// Another address of the archive.
  var address: String?
  /// The MD5 of another archive than the official one.
  var md5: String?

  var isThere: Bool {
    FileManager.default.fileExists(
      atPath: directory.appendingPathComponent(archive.folder).path)
  }

  func run(_ console: Console) throws {
    let file = directory.appendingPathComponent(archive.name)
    if !FileManager.default.fileExists(atPath: file.path) {
      let download = Download(
        address: address ?? archive.url, file: file, checksum: .md5(md5 ?? archive.md5))
      _ = try download.run(console)
    }
    try unpack(file)
    try? FileManager.default.removeItem(at: file)
  }

  /// Unpacks the wanted files alone, into a folder that gets its name at the end.
  private func unpack(_ file: URL) throws {
    let manager = FileManager.default
    let temporary = directory.appendingPathComponent(".\(archive.folder).unpacking")
    try? manager.removeItem(at: temporary)
    defer { try? manager.removeItem(at: temporary) }
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = [
      "tar", "-xzf", file.path, "-C", temporary.path, "--no-same-owner", "--no-same-permissions",
      archive.folder,
    ]
    let errors = Pipe()
    tar.standardInput = FileHandle.nullDevice
    tar.standardOutput = FileHandle.nullDevice
    tar.standardError = errors
    do {
      try manager.createDirectory(at: temporary, withIntermediateDirectories: true)
      try tar.run()
    } catch {
      throw CommandError(
        "'\(file.path)' cannot be unpacked: \(error.localizedDescription)", exitCode: 7)
    }
    let words = (try? errors.fileHandleForReading.readToEnd()) ?? Data()
    tar.waitUntilExit()
    guard tar.terminationStatus == 0 else {
      try? manager.removeItem(at: file)
      let line = String(decoding: words, as: UTF8.self).split(separator: "\n").first ?? "tar failed"
      throw CommandError(
        "'\(file.path)' cannot be unpacked: \(line)",
        hint: "the file was removed; download it again", exitCode: 7)
    }
    let unpacked = temporary.appendingPathComponent(archive.folder)
    let target = directory.appendingPathComponent(archive.folder)
    // A folder that its owner may not write to cannot be moved.
    try? manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: unpacked.path)
    guard rename(unpacked.path, target.path) == 0
    else { throw AtomicFile.Failure("replace", target.path) }
  }
}
