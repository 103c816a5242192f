import Foundation
import Glibc
import Synchronization

/// A server on this machine that sends files, and breaks off, lies or dawdles where a test says so.
final class LoopbackServer: Sendable {
  /// What lies at a path and how it is sent.
  struct Entry: Sendable {
    var body: [UInt8] = []
    var status = 200
    /// Header lines of its own.
    var headers: [String] = []
    /// Where the client is sent instead.
    var location: String?
    /// Whether the rest of a file can be asked for.
    var hasRanges = true
    /// After so many bytes of an answer the connection is closed.
    var breaksAfter: Int?
    /// After so many bytes of an answer nothing more comes for ten seconds.
    var stallsAfter: Int?
  }

  /// What a client asked for.
  struct Request: Sendable, Equatable {
    let path: String
    /// Where the wanted rest begins.
    let start: Int
  }

  private let entries: Mutex<[String: Entry]>
  private let log = Mutex<[Request]>([])
  private let listener: Int32
  let port: UInt16

  var address: String { "http://127.0.0.1:\(port)" }
  var requests: [Request] { log.withLock { $0 } }

  subscript(path: String) -> Entry? {
    get { entries.withLock { $0[path] } }
    set { entries.withLock { $0[path] = newValue } }
  }

  init(_ entries: [String: Entry] = [:]) throws {
    self.entries = Mutex(entries)
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (result, found) = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        (
          bind(listener, address, length) | listen(listener, 16),
          getsockname(listener, address, &length)
        )
      }
    }
    guard listener >= 0, result == 0, found == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
    self.listener = listener
    port = UInt16(bigEndian: name.sin_port)
    let accepting = Thread { [self] in
      while true {
        let connection = accept(listener, nil, nil)
        if connection < 0 { return }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        Thread { [self] in
          answer(connection)
          close(connection)
        }.start()
      }
    }
    accepting.start()
  }

  /// Ends the accepting; what is being sent goes on.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func answer(_ connection: Int32) {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !text.contains("\r\n\r\n") {
      let count = read(connection, &buffer, buffer.count)
      if count <= 0 { return }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    let lines = text.components(separatedBy: "\r\n")
    let path = lines[0].split(separator: " ").dropFirst().first.map(String.init) ?? ""
    let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
    let start = range.flatMap { Int($0.dropFirst(13).prefix { $0.isNumber }) } ?? 0
    log.withLock { $0.append(Request(path: path, start: start)) }
    guard let entry = self[path] else {
      return send(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    }
    let own = entry.headers.map { $0 + "\r\n" }.joined()
    if let location = entry.location {
      return send(
        connection,
        "HTTP/1.1 302 Found\r\nLocation: \(location)\r\n\(own)Content-Length: 0\r\n\r\n")
    }
    if entry.hasRanges, start > 0, start >= entry.body.count {
      return send(
        connection, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
    }
    let first = entry.hasRanges ? start : 0
    let body = entry.body[first...]
    let status = first > 0 ? 206 : entry.status
    let place =
      first > 0
      ? "Content-Range: bytes \(first)-\(entry.body.count - 1)/\(entry.body.count)\r\n" : ""
    send(
      connection,
      "HTTP/1.1 \(status) OK\r\n\(place)\(own)Content-Length: \(body.count)\r\n\r\n")
    if let limit = entry.breaksAfter, limit < body.count {
      send(connection, Array(body.prefix(limit)))
    } else if let limit = entry.stallsAfter, limit < body.count {
      send(connection, Array(body.prefix(limit)))
      sleep(10)
    } else {
      send(connection, Array(body))
    }
  }

  private func send(_ connection: Int32, _ text: String) { send(connection, Array(text.utf8)) }

  private func send(_ connection: Int32, _ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      done += count
    }
  }
}
