import Foundation

/// The picture files of an uncompressed tar archive, read in place.
///
/// The headers are read once; a picture is then one read at its offset, from any thread. Nothing is
/// ever unpacked. Understood are the formats of GNU tar and POSIX (ustar, pax): long names, paths
/// and sizes of any length.
///
/// SAFETY: the descriptor is opened in `init`, closed in `deinit`, and never moved by a read.
final class TarArchive: PictureStore {
  let path: String
  let entries: [PictureEntry]
  let remarks: [String]
  private let descriptor: Int32

  private static let block = 512

  /// Indexes an archive.
  ///
  /// - Throws: `DataError.unreadable` or `.archive`.
  init(_ file: URL) throws {
    path = file.standardizedFileURL.path
    descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DataError.unreadable(file: path, reason: String(cString: strerror(errno)).lowercased())
    }
    do {
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw DataError.unreadable(file: path, reason: "not a regular file")
      }
      var index = Index(path: path, descriptor: descriptor, size: Int(status.st_size))
      try index.read()
      entries = index.entries
      remarks = index.filter.remarks + index.remarks
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  func name(of entry: PictureEntry) -> String { "\(path): \(entry.path)" }

  func bytes(of entry: PictureEntry) throws -> [UInt8] {
    do {
      return try Self.read(descriptor, at: entry.offset, count: entry.size)
    } catch {
      throw DataError.unreadable(file: name(of: entry), reason: error.reason)
    }
  }

  /// Why bytes could not be read.
  private struct Failure: Error {
    let reason: String
  }

  private static func read(
    _ descriptor: Int32, at offset: Int, count: Int
  ) throws(Failure) -> [UInt8] {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(
          descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled)
        )
        if got < 0 && errno == EINTR { continue }
        if got < 0 { code = errno }
        if got <= 0 { break }
        filled += got
      }
    }
    if code != 0 { throw Failure(reason: String(cString: strerror(code)).lowercased()) }
    if bytes.count < count { throw Failure(reason: "the archive was cut off meanwhile") }
    return bytes
  }

  // MARK: The headers

  private struct Index {
    let path: String
    let descriptor: Int32
    let size: Int
    var entries: [PictureEntry] = []
    var remarks: [String] = []
    var filter = PictureFilter()
    /// What extended headers said about the next file.
    private var nextPath: String?
    private var nextSize: Int?
    private var outside = 0

    init(path: String, descriptor: Int32, size: Int) {
      self.path = path
      self.descriptor = descriptor
      self.size = size
    }

    private func problem(_ problem: ArchiveProblem) -> DataError {
      .archive(file: path, problem: problem)
    }

    private func bytes(at offset: Int, count: Int) throws -> [UInt8] {
      do {
        return try TarArchive.read(descriptor, at: offset, count: count)
      } catch {
        throw DataError.unreadable(file: path, reason: error.reason)
      }
    }

    mutating func read() throws {
      try checkKind()
      var offset = 0
      var isEnded = false
      while offset + block <= size {
        let header = try bytes(at: offset, count: block)
        if header.allSatisfy({ $0 == 0 }) {
          isEnded = true
          break
        }
        guard hasRightSum(header), let length = length(header) else {
          throw problem(offset == 0 ? .notTar : .badHeader(offset: offset))
        }
        let start = offset + block
        // Written so that no size, however large, overflows.
        guard length <= size - start else {
          throw problem(.cutOff(name: nextPath ?? name(header), offset: offset))
        }
        try take(header, start: start, length: length)
        offset = start + (length + block - 1) / block * block
      }
      if !isEnded {
        remarks.append("the archive '\(path)' has no end mark; it may have been cut off")
      }
      if outside > 0 {
        remarks.append(
          outside == 1
            ? "an entry of '\(path)' points outside of it and was left out"
            : "\(outside) entries of '\(path)' point outside of it and were left out")
      }
    }

    private var block: Int { TarArchive.block }

    private func checkKind() throws {
      guard size > 0 else { throw DataError.emptyFile(file: path) }
      let start = try bytes(at: 0, count: min(size, 6))
      let compressions: [(magic: [UInt8], tool: String)] = [
        ([0x1F, 0x8B], "gzip"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz"), ([0x42, 0x5A, 0x68], "bzip2"),
      ]
      for (magic, tool) in compressions where start.starts(with: magic) {
        throw problem(.compressed(tool: tool))
      }
      if size < block { throw problem(.notTar) }
    }

    private mutating func take(_ header: [UInt8], start: Int, length: Int) throws {
      switch header[156] {
      case UInt8(ascii: "L"):
        nextPath = Self.text(try bytes(at: start, count: try limited(length, start))[...])
      case UInt8(ascii: "x"):
        try readExtended(try bytes(at: start, count: try limited(length, start))[...], start)
      case UInt8(ascii: "g"), UInt8(ascii: "K"): break
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
        defer { (nextPath, nextSize) = (nil, nil) }
        guard let entry = Self.inside(nextPath ?? name(header)) else {
          outside += 1
          return
        }
        guard filter.accepts(entry) else { return }
        entries.append(PictureEntry(path: entry, size: length, offset: start))
      // Folders, links, devices.
      default: (nextPath, nextSize) = (nil, nil)
      }
    }

    /// The length of an extended header, which is never large.
    private func limited(_ length: Int, _ start: Int) throws -> Int {
      guard length <= 1 << 20 else { throw problem(.badHeader(offset: start - block)) }
      return length
    }

    /// The records `LENGTH key=value\n` of a pax header.
    private mutating func readExtended(_ records: ArraySlice<UInt8>, _ start: Int) throws {
      var rest = records
      while let first = rest.first, first != 0 {
        guard let space = rest.firstIndex(of: UInt8(ascii: " ")),
          let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
          length > space - rest.startIndex + 1, length <= rest.count,
          let equals = rest[space...].firstIndex(of: UInt8(ascii: "=")),
          equals < rest.startIndex + length - 1
        else { throw problem(.badHeader(offset: start - block)) }
        let end = rest.startIndex + length
        let key = String(decoding: rest[(space + 1)..<equals], as: UTF8.self)
        let value = String(decoding: rest[(equals + 1)..<(end - 1)], as: UTF8.self)
        if key == "path" { nextPath = value }
        if key == "size" { nextSize = Int(value) }
        rest = rest[end...]
      }
    }

    /// The path without `.` and empty parts; nil if it leads out of the archive's top.
    private static func inside(_ path: String) -> String? {
      let names = path.split(separator: "/").filter { $0 != "." }
      if path.hasPrefix("/") || names.contains("..") { return nil }
      return names.joined(separator: "/")
    }

    private func name(_ header: [UInt8]) -> String {
      let name = Self.text(header[0..<100])
      // Only POSIX's own format has a prefix; GNU's keeps times there.
      guard header[257..<263].elementsEqual("ustar\0".utf8) else { return name }
      let prefix = Self.text(header[345..<500])
      return prefix.isEmpty ? name : "\(prefix)/\(name)"
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
      String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The bytes behind a header; nil when the number makes no sense.
    private func length(_ header: [UInt8]) -> Int? {
      let isFile = ![UInt8(ascii: "L"), UInt8(ascii: "x"), UInt8(ascii: "g")].contains(header[156])
      if isFile, let nextSize { return nextSize >= 0 ? nextSize : nil }
      // Links and folders have nothing behind them, whatever their headers say.
      if (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(header[156]) { return 0 }
      let field = header[124..<136]
      if header[124] & 0x80 != 0 {
        // GNU's form for large numbers: base 256.
        var value = 0
        for byte in [header[124] & 0x7F] + field.dropFirst() {
          guard value <= Int.max >> 8 else { return nil }
          value = value << 8 | Int(byte)
        }
        return value
      }
      return Self.octal(field)
    }

    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
      let digits = String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
        .trimmingCharacters(in: .whitespaces)
      if digits.isEmpty { return 0 }
      guard let value = Int(digits, radix: 8), value >= 0 else { return nil }
      return value
    }

    /// The header's checksum: the sum of its bytes with blanks in the checksum's own place.
    private func hasRightSum(_ header: [UInt8]) -> Bool {
      var sum = 8 * 32
      for index in header.indices where !(148..<156).contains(index) { sum += Int(header[index]) }
      return Self.octal(header[148..<156]) == sum
    }
  }
}
