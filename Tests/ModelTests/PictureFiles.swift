import Foundation

@testable import Model

/// Picture files and archives that the tests write.
struct PictureFiles {
  let folder: URL

  /// A small PNG whose colour tells its number.
  static func png(_ number: Int) throws -> [UInt8] {
    let color: [UInt8] = [UInt8(number % 256), UInt8(number / 256), 77]
    return try ImageCodec.encodePNG(
      ImageRGB(
        width: 6, height: 6, pixels: (0..<36).flatMap { _ in color }))
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    let file = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }

  func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

  /// Pictures numbered from `first` on, at these paths.
  func writePictures(_ paths: [String], from first: Int = 0) throws {
    for (number, path) in paths.enumerated() { try write(Self.png(first + number), to: path) }
  }

  func link(_ path: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.appendingPathComponent(path).path, withDestinationPath: target)
  }

  func remove(_ path: String) throws {
    try FileManager.default.removeItem(at: folder.appendingPathComponent(path))
  }

  func load(_ path: String = ".", classMap: String? = nil, cache: Int = 1 << 20) throws
    -> DataSource
  {
    var options = PictureOptions()
    options.classMap = classMap.map { folder.appendingPathComponent($0) }
    options.cacheBytes = cache
    let place = folder.appendingPathComponent(path)
    return path.contains(".tar")
      ? try Datasets.tar(place, options: options) : try Datasets.folder(place, options: options)
  }

  /// Runs `body` with an empty folder, which is removed afterwards.
  static func with<Result>(_ body: (PictureFiles) throws -> Result) throws -> Result {
    try DataFixtures.withFolder { try body(PictureFiles(folder: $0)) }
  }
}

/// A tar archive in the making.
struct TarBuilder {
  private(set) var bytes: [UInt8] = []

  /// Appends a header and what follows it.
  mutating func add(
    _ name: String, _ contents: [UInt8], type: Character = "0", size: Int? = nil,
    prefix: String? = nil
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int, _ digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(String(name.prefix(100)), at: 0)
    put(octal(0o644, 7), at: 100)
    let length = size ?? contents.count
    if length >= 1 << 33 {
      header[124] = 0x80
      for place in 0..<8 { header[135 - place] = UInt8(truncatingIfNeeded: length >> (8 * place)) }
    } else {
      put(octal(length, 11), at: 124)
    }
    header[156] = type.asciiValue ?? 0
    put("ustar\0" + "00", at: 257)
    if let prefix { put(prefix, at: 345) }
    let sum = header.reduce(0) { $0 + Int($1) } + 8 * 32
    put(octal(sum, 6) + "\0 ", at: 148)
    bytes += header + contents
    bytes += [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
  }

  /// A pax header for the entry that comes next.
  mutating func addExtended(_ records: [String: String]) {
    let text = records.sorted { $0.key < $1.key }.map { key, value -> String in
      let rest = " \(key)=\(value)\n"
      var length = rest.utf8.count + 1
      while String(length).utf8.count + rest.utf8.count != length { length += 1 }
      return "\(length)\(rest)"
    }
    add("PaxHeaders/x", Array(text.joined().utf8), type: "x")
  }

  /// The archive with its end mark.
  var ended: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
