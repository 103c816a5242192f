public import Foundation

/// How picture files become a data set.
public struct PictureOptions: Sendable {
  /// A file with a class name per line, in the order of the labels; nil takes the folders' names.
  public var classMap: URL?
  /// The most bytes of decoded pictures that are kept in memory.
  public var cacheBytes = 512 << 20

  /// The folders' names and the usual cache.
  public init() {}
}

extension Datasets {
  /// The share of the training pictures that validates where a folder has no other pictures.
  public static let usualValidationFraction = 0.2

  /// Pictures in a folder for each class (`PictureLayout` says how sets and classes are found).
  ///
  /// Neither is a picture read nor are contents compared: the fingerprint is made of the paths,
  /// sizes and classes. A set without pictures to validate or test with has an empty `test`.
  ///
  /// - Throws: `DataError`.
  public static func folder(_ folder: URL, options: PictureOptions) throws -> DataSource {
    try source(kind: "folder", store: PictureFolder(folder), file: folder, options: options)
  }

  /// Pictures in an uncompressed tar archive, laid out as a folder of pictures is.
  ///
  /// - Throws: `DataError`.
  public static func tar(_ file: URL, options: PictureOptions) throws -> DataSource {
    try source(kind: "tar", store: TarArchive(file), file: file, options: options)
  }

  private static func source(
    kind: String, store: some PictureStore, file: URL, options: PictureOptions
  ) throws -> DataSource {
    let layout = try PictureLayout(store, classMap: options.classMap.map(classNames))
    let name = plainName(file)
    let cache = DecodedCache(capacity: options.cacheBytes)
    var first = 0
    var listing = layout.classNames.joined(separator: "\n") + "\n\n"
    var bytes = 0
    func part(_ part: PictureLayout.Part) -> LabelledPictures? {
      guard let members = layout.parts[part] else { return nil }
      let pictures = LabelledPictures(
        name: "\(name) \(part.rawValue)", classNames: layout.classNames, store: store,
        members: members, cache: cache, firstNumber: first)
      first += members.count
      listing += "\(part.rawValue)\n\(pictures.listing)"
      bytes += pictures.bytes
      return pictures
    }
    guard let train = part(.train) else { throw DataError.noClassFolders(path: store.path) }
    let validation = part(.validation)
    let test = part(.test)
    let judge = test ?? validation
    return DataSource(
      name: name, kind: kind, train: train, validation: validation,
      test: judge
        ?? DatasetSubset(of: train, indices: [], name: "\(name) test"),
      files: [
        DataFile(
          name: "paths and sizes of \(first) files", sha256: sha256(of: Array(listing.utf8)))
      ], remarks: store.remarks + layout.remarks, bytes: bytes)
  }

  /// A file name as it can be part of a run's name.
  private static func plainName(_ file: URL) -> String {
    let name = file.standardizedFileURL.deletingPathExtension().lastPathComponent
    let plain = name.unicodeScalars.map { scalar -> Character in
      let isPlain = scalar.isASCII && scalar.properties.isAlphabetic
      return isPlain || ("0"..."9").contains(scalar) || "-_".unicodeScalars.contains(scalar)
        ? Character(scalar) : "-"
    }
    let text = String(String(plain).prefix(40))
    return text.allSatisfy { $0 == "-" } ? "pictures" : text
  }

  /// The lines of a class map.
  private static func classNames(_ file: URL) throws -> [String] {
    var lines = String(decoding: try readWhole(file), as: UTF8.self)
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    while lines.last == "" { lines.removeLast() }
    if lines.isEmpty { throw DataError.classMap(file: file.path, problem: "it is empty") }
    var seen: Set<String> = []
    for (number, line) in lines.enumerated() {
      let problem =
        line.isEmpty
        ? "line \(number + 1) is empty"
        : seen.insert(line).inserted ? nil : "line \(number + 1) repeats '\(line)'"
      if let problem { throw DataError.classMap(file: file.path, problem: problem) }
    }
    return lines
  }
}
