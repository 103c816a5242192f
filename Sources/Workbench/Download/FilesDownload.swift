import DSL
import Foundation
import Model

/// Fetches a data set of single files, into a hidden folder that gets its name when all are there.
///
/// What a stopped download has brought stays in the hidden folder, and the next one goes on from it.
struct FilesDownload: DatasetDownload {
  /// The folder that gets the data set's own folder.
  let directory: URL
  let files: DatasetFiles
  /// Another address of the folder of the files.
  var address: String?

  private var target: URL { directory.appendingPathComponent(files.folder) }

  /// Where `data` reads files, packed or not.
  var isThere: Bool {
    let raw = target.appendingPathComponent("raw")
    return files.files.allSatisfy { file in
      let unpacked = (file.name as NSString).deletingPathExtension
      return [file.name, unpacked].contains { exists(raw.appendingPathComponent($0)) }
    }
  }

  func run(_ console: Console) throws {
    guard ((try? FileManager.default.contentsOfDirectory(atPath: target.path)) ?? []).isEmpty
    else {
      throw CommandError(
        "'\(target.path)' is there, but not all of its files are",
        hint: "move it away, or name another folder with dir=", exitCode: 7)
    }
    let hidden = directory.appendingPathComponent(".\(files.folder).fetching")
    let base = address.map { $0.hasSuffix("/") ? $0 : $0 + "/" } ?? files.address
    for file in files.files {
      let place = hidden.appendingPathComponent("raw/\(file.name)")
      if exists(place) { continue }
      _ = try Download(address: base + file.name, file: place, checksum: .md5(file.md5))
        .run(console)
    }
    // An empty folder gives way, any other does not.
    guard rename(hidden.path, target.path) == 0 else {
      throw AtomicFile.Failure("replace", target.path)
    }
  }

  private func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
}
