import DSL
import Foundation
import Model

/// A file that is fetched whole and verified before it gets its name. What a broken or stopped
/// download has brought stays beside it as `NAME.part`, and the next one goes on from there.
struct Download {
  /// What the file must be.
  enum Checksum: Equatable {
    /// The SHA-256 or its beginning.
    case sha256(String)
    case md5(String)
  }

  /// Where it lies.
  let address: String
  /// Where it goes.
  let file: URL
  /// What is published about it; nil takes the server's word, if it gives one.
  let checksum: Checksum?
  /// Tells a file of the right kind from a web page and the like, where no checksum does.
  var check: (URL) throws -> Void = { _ in }
  /// Broken connections that are taken up again before giving up.
  var retries = 3

  private var part: URL { file.appendingPathExtension("part") }

  /// What a finished download is known by.
  struct Result {
    /// Whether there was a published checksum to compare.
    let isVerified: Bool
    /// The file's SHA-256, where it was computed for that.
    let sha256: String?
  }

  /// Fetches, verifies and names the file.
  func run(_ console: Console) throws -> Result {
    try makeFolder()
    // The part that is there may be of another file: then the whole is fetched once more.
    var mayBeStale = FileManager.default.fileExists(atPath: part.path)
    while true {
      do {
        let result = try verify(try fetch(console))
        guard rename(part.path, file.path) == 0 else {
          throw AtomicFile.Failure("replace", file.path)
        }
        return result
      } catch let mismatch as Mismatch {
        try? FileManager.default.removeItem(at: part)
        guard mayBeStale else { throw mismatch.commandError(address) }
        mayBeStale = false
        console.note("what was there before did not fit; fetching the whole file again")
      }
    }
  }

  private func makeFolder() throws {
    let folder = file.deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw CommandError(
        "the folder '\(folder.path)' cannot be made: \(error.localizedDescription)", exitCode: 7)
    }
  }

  /// Transfers until all bytes are there.
  private func fetch(_ console: Console) throws -> HTTPHeaders {
    guard address.hasPrefix("https://") || address.hasPrefix("http://") else {
      throw CommandError(
        "'\(address)' is no address of the web", hint: "it begins with https:// or http://")
    }
    let transfer = HTTPTransfer(address: address, part: part)
    let label = file.lastPathComponent
    var isStarted = false
    defer { console.progress.finish() }
    func show(_ received: Int, _ total: Int?) {
      if !isStarted, let total {
        isStarted = true
        console.progress.begin(total: (total + 999) / 1000, label: "\(label), kB")
      }
      if isStarted { console.progress.update(received / 1000) }
    }
    var triesLeft = retries
    while true {
      do throws(HTTPTransfer.Failure) {
        return try transfer.run(progress: show)
      } catch {
        switch error {
        case .broken(let reason) where triesLeft > 0:
          triesLeft -= 1
          console.note("the connection broke (\(reason)); going on")
        case .noRanges where transfer.received > 0:
          if let known = checksum, (try? compare(with: known))?.fits == true {
            return HTTPHeaders("")
          }
          console.note("the server cannot send the rest alone; fetching the whole file")
          try? FileManager.default.removeItem(at: part)
        default:
          throw commandError(error, received: transfer.received)
        }
      }
    }
  }

  /// The digest of what is there, and whether it is the published one.
  private func compare(with checksum: Checksum) throws -> (digest: String, fits: Bool) {
    switch checksum {
    case .sha256(let wanted):
      let digest = try sha256(of: part)
      return (digest, digest.hasPrefix(wanted.lowercased()))
    case .md5(let wanted):
      let digest = try md5(of: part)
      return (digest, digest == wanted.lowercased())
    }
  }

  /// Compares the file with what is known about it.
  private func verify(_ headers: HTTPHeaders) throws -> Result {
    let known = checksum ?? headers.sha256.map(Checksum.sha256)
    var sha256: String?
    if let known {
      let (digest, fits) = try compare(with: known)
      guard fits else { throw Mismatch(wanted: known) }
      if case .sha256 = known { sha256 = digest }
    }
    do {
      try check(part)
    } catch let error as any ModelError {
      let wrong = error.message.replacingOccurrences(of: part.path, with: file.path)
      try? FileManager.default.removeItem(at: part)
      throw CommandError(
        "\(address) gave something else: \(wrong)", hint: "look at the address in a browser",
        exitCode: 7)
    }
    return Result(isVerified: known != nil, sha256: sha256)
  }

  private struct Mismatch: Error {
    let wanted: Checksum

    func commandError(_ address: String) -> CommandError {
      let text =
        switch wanted {
        case .sha256(let digest): "SHA-256 \(digest)"
        case .md5(let digest): "MD5 \(digest)"
        }
      return CommandError(
        "\(address) does not have the \(text)",
        hint: "it was fetched whole and removed; try again, or from another address with from=",
        exitCode: 7)
    }
  }

  private func commandError(_ failure: HTTPTransfer.Failure, received: Int) -> CommandError {
    let kept =
      received > 0
      ? "\(NumberText.bytes(received)) are there; the same command goes on from them" : nil
    switch failure {
    case .curlMissing:
      return CommandError(
        "downloads need the program 'curl', which is not installed",
        hint: "apt-get install curl, or fetch \(address) yourself", exitCode: 7)
    case .interrupted:
      return CommandError(
        "the download was stopped", hint: kept,
        exitCode: 128 + (SignalCenter.termination ?? 2), isInterruption: true)
    case .status(let status):
      let hint =
        switch status {
        case 401, 403: "the server wants a login; fetch the file yourself"
        case 404: "there is no such file; from=ADDRESS names another one"
        default: "try again later"
        }
      return CommandError("\(address): the server answered \(status)", hint: hint, exitCode: 7)
    case .noRanges:
      return CommandError("\(address): the server sends no file", exitCode: 7)
    case .broken(let reason), .failed(let reason):
      return CommandError(
        "\(address): \(reason)", hint: kept ?? "check the network and the address", exitCode: 7)
    }
  }
}
