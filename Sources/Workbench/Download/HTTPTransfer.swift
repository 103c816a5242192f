import Foundation

/// Fetches a file over HTTP with the program `curl`, from where the part that is there ends.
///
/// A process, not a library: proxies, certificates and redirects are curl's business, and the
/// program starts without a network stack.
struct HTTPTransfer {
  /// What is fetched.
  let address: String
  /// Where the bytes go; kept when the transfer fails, so that the next one goes on.
  let part: URL
  /// The program and the arguments before all others; the user's own settings are not read.
  var command = ["curl", "-q"]
  /// Asked while waiting; `true` ends the transfer.
  var isInterrupted: () -> Bool = { SignalCenter.isInterrupted }

  /// Why a transfer ended early.
  enum Failure: Error, Equatable {
    case curlMissing
    case interrupted
    /// The server's refusal, such as 404.
    case status(Int)
    /// The server cannot send the rest of a file.
    case noRanges
    /// The connection broke; another try may do.
    case broken(String)
    /// Anything else, in curl's words.
    case failed(String)
  }

  /// The bytes that are there.
  var received: Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: part.path)
    return attributes?[.size] as? Int ?? 0
  }

  /// Runs to the end of the file and returns what the servers said about it.
  ///
  /// - Parameter progress: called now and then with the bytes that are there and the size of the
  ///   whole, where the server tells it.
  func run(progress: (_ received: Int, _ total: Int?) -> Void) throws(Failure) -> HTTPHeaders {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appending(path: "workbench-\(UUID().uuidString)")
    guard (try? manager.createDirectory(at: folder, withIntermediateDirectories: true)) != nil
    else {
      throw .failed("no temporary folder can be made in '\(manager.temporaryDirectory.path)'")
    }
    defer { try? manager.removeItem(at: folder) }
    let headerFile = folder.appending(path: "headers")
    let errorFile = folder.appending(path: "errors")
    let start = received
    let process = try launch(from: start, headers: headerFile, errors: errorFile)
    var headers = HTTPHeaders("")
    while process.isRunning {
      if isInterrupted() {
        process.terminate()
        process.waitUntilExit()
        throw .interrupted
      }
      usleep(50_000)
      if headers.length == nil { headers = HTTPHeaders(contentsOf: headerFile) }
      progress(received, headers.length.map { $0 + start })
    }
    headers = HTTPHeaders(contentsOf: headerFile)
    progress(received, headers.length.map { $0 + start })
    guard process.terminationStatus != 0 else { return headers }
    let words = (try? String(contentsOf: errorFile, encoding: .utf8)) ?? ""
    throw failure(process.terminationStatus, words, headers, start: start)
  }

  private func launch(from start: Int, headers: URL, errors: URL) throws(Failure) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      command + [
        "--fail", "--location", "--silent", "--show-error", "--globoff", "--proto", "=http,https",
        "--proto-redir", "=http,https", "--max-redirs", "10", "--connect-timeout", "20",
        "--speed-limit", "1", "--speed-time", "60", "--dump-header", headers.path,
        "--output", part.path,
      ] + (start > 0 ? ["--continue-at", String(start)] : []) + ["--url", address]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    do {
      try Data().write(to: errors)
      process.standardError = try FileHandle(forWritingTo: errors)
      try process.run()
    } catch {
      throw .failed("curl cannot be started: \(error.localizedDescription)")
    }
    return process
  }

  /// Sorts curl's exit codes (see its manual).
  private func failure(_ code: Int32, _ words: String, _ headers: HTTPHeaders, start: Int)
    -> Failure
  {
    // `curl: (6) Could not resolve host: …`
    let line = words.split(separator: "\n").last.map(String.init) ?? ""
    let sentence = line.range(of: ") ").map { String(line[$0.upperBound...]) } ?? line
    switch code {
    case 127: return .curlMissing
    case 22 where headers.status == 416 && start > 0: return .noRanges
    case 22: return .status(headers.status ?? 0)
    case 33, 36: return .noRanges
    case 18, 28, 52, 55, 56, 92: return .broken(sentence)
    default: return .failed(sentence.isEmpty ? "curl ended with code \(code)" : sentence)
    }
  }
}

/// The header lines of an answer and of the redirections before it.
struct HTTPHeaders: Equatable {
  /// The status of the last answer.
  private(set) var status: Int?
  /// The bytes that the last answer carries.
  private(set) var length: Int?
  /// The SHA-256 that a Hugging Face server gives for a large file.
  private(set) var sha256: String?

  init(contentsOf file: URL) {
    self.init((try? String(contentsOf: file, encoding: .utf8)) ?? "")
  }

  init(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("HTTP/") {
        // Another answer begins.
        status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        length = nil
        continue
      }
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      switch line[..<colon].lowercased() {
      case "content-length": length = (200..<300).contains(status ?? 0) ? Int(value) : nil
      case "x-linked-etag":
        let tag = value.trimmingCharacters(in: CharacterSet(charactersIn: "\"")).lowercased()
        if tag.count == 64, tag.allSatisfy(\.isHexDigit) { sha256 = tag }
      default: break
      }
    }
  }
}
